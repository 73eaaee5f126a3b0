import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { constraintsOf } from './compiled/rules-of.js';
import { shapeOf } from './dto-shape.js';
import { isDtoClass, type PropertyShape } from './property-shape.js';
import type { InputSource } from './route-arguments.js';
import type { DtoClass } from './transformer-storage.js';

interface DtoCheck {
  readonly at: string;
  readonly source: InputSource;
  readonly problems: ConfigurationProblems;
  readonly seen: Set<DtoClass>;
}

/** Reports properties of a class, and of those in it, that no rule would look at, or whose rules are never asked. */
export function checkDto(dto: DtoClass, check: DtoCheck): void {
  const { at, source, problems, seen } = check;
  if (seen.has(dto)) return;
  seen.add(dto);
  const { byName } = shapeOf(dto);
  if (byName.size === 0) {
    problems.add(
      'validation.no-rules',
      at,
      `takes ${dto.name || 'a class'}, which has no rules`,
      'decorate its properties, or import it as a value and not with `import type`',
    );
  }
  for (const property of byName.values()) {
    const found = problemOf(property, source);
    if (found) problems.add(found.code, `${at}: ${dto.name}.${property.name}`, found.problem, found.fix);
    for (const nested of property.nested?.classes ?? []) checkDto(nested, check);
  }
}

/** Something that cannot be validated, and how to mend it. */
export interface Problem {
  readonly code: string;
  readonly problem: string;
  readonly fix: string;
}

function problemOf(property: PropertyShape, source: InputSource): Problem | undefined {
  const { nested, designType, transformed, typedAs } = property;
  if (hasUnaskedRule(property)) {
    return {
      code: 'validation.constraint',
      problem: 'has @Validate() with a class that is no constraint, so that it is never asked',
      fix: 'add @ValidatorConstraint() to that class',
    };
  }
  if (property.unsupported) {
    return {
      code: 'validation.nested.collection',
      problem: 'is a Set or Map of another class',
      fix: 'declare an array',
    };
  }
  if (property.rules.has('nestedValidation')) {
    if (!nested)
      return {
        code: 'validation.nested.type',
        problem: 'has @ValidateNested() but no class',
        fix: 'add @Type(() => ItemDto)',
      };
    if (source === 'body') return undefined;
    return {
      code: 'validation.nested.text',
      problem: 'is an object, and queries and paths hold texts',
      fix: 'declare its fields one by one',
    };
  }
  if (transformed || typedAs) return undefined;
  if (isDtoClass(designType) && shapeOf(designType).byName.size > 0) {
    return {
      code: 'validation.nested.unvalidated',
      problem: 'holds a class whose rules are never asked',
      fix: 'add @ValidateNested() and @Type(() => …)',
    };
  }
  return hasUncheckedItems(property)
    ? {
        code: 'validation.items',
        problem: 'is a list whose items no rule looks at',
        fix: 'add rules with { each: true }, or @ValidateNested({ each: true }) and @Type(() => ItemDto)',
      }
    : undefined;
}

/** class-validator passes over a class that it has not been told of. */
function hasUnaskedRule({ rules }: PropertyShape): boolean {
  return [...rules.values()]
    .flat()
    .some((rule) => rule.type === 'customValidation' && constraintsOf(rule).length === 0);
}

/** Rules that say something of a list as a whole and nothing of its items. */
const LIST_RULES: ReadonlySet<string> = new Set([
  'isArray',
  'arrayMinSize',
  'arrayMaxSize',
  'arrayNotEmpty',
  'arrayUnique',
  'isDefined',
  'isNotEmpty',
  'isOptional',
  'conditionalValidation',
]);

function hasUncheckedItems({ designType, rules }: PropertyShape): boolean {
  // `@Allow()` alone says that anything may come.
  return (
    designType === Array &&
    !rules.has('whitelistValidation') &&
    [...rules].every(([name, all]) => LIST_RULES.has(name) && !all.some(({ each }) => each))
  );
}
