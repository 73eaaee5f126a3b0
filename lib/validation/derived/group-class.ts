import { shapeOf } from '../dto-shape.js';
import type { Rule } from '../property-shape.js';
import type { DtoClass } from '../transformer-storage.js';
import { deriveDto, setInitialValues } from './derive-dto.js';

/** The class that a derived one was made from. */
const origins = new WeakMap<DtoClass, DtoClass>();
const made = new WeakMap<DtoClass, Map<string, DtoClass>>();

/** What class-validator's decorators take beside what a rule says. */
interface GroupedRule extends Rule {
  readonly groups?: readonly string[];
  readonly always?: boolean;
}

/**
 * The class whose rules are those that hold in some groups: the ones without groups, those marked `always`, and those of the
 * groups. A property with rules of other groups alone is not known to it.
 */
export function groupClass(dto: DtoClass, groups: readonly string[]): DtoClass {
  const key = JSON.stringify([...groups].toSorted());
  const known = made.get(dto) ?? new Map<string, DtoClass>();
  made.set(dto, known);
  const existing = known.get(key);
  if (existing) return existing;
  class GroupDto {
    constructor() {
      setInitialValues(this, dto, shapeOf(GroupDto).byName.keys());
    }
  }
  Object.defineProperty(GroupDto, 'name', { value: `${dto.name}${groups.map(capitalized).join('')}` });
  // Before its rules are there: a class may contain itself.
  known.set(key, GroupDto);
  origins.set(GroupDto, dto);
  deriveDto(GroupDto, dto, {
    keeps: (rule) => holds(rule, groups),
    nested: (inner) => groupClass(inner, groups),
  });
  return GroupDto;
}

function holds({ groups: own = [], always }: GroupedRule, groups: readonly string[]): boolean {
  return always ?? (own.length === 0 || own.some((group) => groups.includes(group)));
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** An instance of the class that people wrote, in place of one that was made for its groups; nested ones too. */
export function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== 'object' || value === null) return value;
  const origin = origins.get(value.constructor as DtoClass);
  if (!origin) return value;
  const instance = new (origin as new () => Record<string, unknown>)();
  for (const [name, part] of Object.entries(value)) instance[name] = revived(part);
  return instance;
}
