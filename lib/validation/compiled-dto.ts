import { plainToInstance } from 'class-transformer';
import type { ValidationArguments } from 'class-validator';

import { shapeOf } from './dto-shape.js';
import type { PropertyShape, Rule } from './property-shape.js';
import { type DtoClass, transformerStorage } from './transformer-storage.js';
import { classValidator } from './validation-packages.js';

interface Constraint {
  validate(value: unknown, args: ValidationArguments): boolean | Promise<boolean>;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Check {
  readonly constraint: Constraint;
  readonly each: boolean;
  readonly validateIf: Rule['validateIf'];
  /** What the constraint is told; filled in for each value, so that nothing has to be made for it. */
  readonly args: Writable<ValidationArguments>;
}

interface PropertyPlan {
  readonly shape: PropertyShape;
  readonly conditions: readonly ((object: object, value: unknown) => unknown)[];
  readonly checks: readonly Check[];
  readonly nested: CompiledDto | undefined;
}

/**
 * A class's rules, looked up once instead of on every request. It says yes to what class-validator would accept, and hands
 * out the instance that class-transformer would make; anything else, a rule it cannot run at once included, it leaves to
 * them, so that verdicts and messages stay theirs.
 */
export class CompiledDto {
  readonly #properties: readonly PropertyPlan[];
  /** Nothing but copying is needed to make an instance. */
  readonly #plain: boolean;

  constructor(private readonly dto: DtoClass) {
    this.#properties = [...shapeOf(dto).byName.values()].map((shape) => planOf(shape, dto.name));
    this.#plain =
      isPlain(dto) && this.#properties.every(({ nested }) => nested === undefined || nested.#plain);
  }

  /** The instance, if the value, whose fields and kinds have been checked, breaks no rule; otherwise undefined. */
  accept(value: object): object | undefined {
    const instance = this.#plain ? this.build(value) : this.#transformed(value);
    return instance !== undefined && this.#holds(instance) ? instance : undefined;
  }

  #transformed(value: object): object | undefined {
    try {
      return plainToInstance(this.dto as new () => object, value);
    } catch {
      // It throws again where that is turned into an answer.
      return undefined;
    }
  }

  /** @internal Undefined where a value would have to be copied in a way that only class-transformer knows. */
  build(value: object): object | undefined {
    const instance = new (this.dto as new () => Record<string, unknown>)();
    const raw = value as Record<string, unknown>;
    for (const { shape, nested } of this.#properties) {
      const { name } = shape;
      if (!Object.hasOwn(raw, name)) continue;
      const part = raw[name];
      const made =
        typeof part !== 'object' || part === null ? atom(part, shape) : composite(part, shape, nested);
      if (made === UNKNOWN) return undefined;
      instance[name] = made;
    }
    return instance;
  }

  #holds(instance: object): boolean {
    const properties = this.#properties;
    for (let i = 0; i < properties.length; i++) {
      const { shape, conditions, checks, nested } = properties[i]!;
      const value = (instance as Record<string, unknown>)[shape.name];
      if (conditions.length > 0 && !conditions.every((condition) => condition(instance, value))) continue;
      for (let j = 0; j < checks.length; j++) if (!passes(checks[j]!, instance, value)) return false;
      if (nested === undefined || value === undefined) continue;
      const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (const part of parts)
        if (typeof part !== 'object' || part === null || !nested.#holds(part)) return false;
    }
    return true;
  }
}

function passes({ constraint, each, validateIf, args }: Check, object: object, value: unknown): boolean {
  if (validateIf && !validateIf(object, value)) return true;
  args.object = object;
  args.value = value;
  if (!each || !Array.isArray(value)) return isTrue(constraint.validate(value, args));
  return value.every((item) => isTrue(constraint.validate(item, args)));
}

/** A rule that says later is asked again by class-validator: what becomes of this answer is of no interest. */
function isTrue(verdict: boolean | Promise<boolean>): boolean {
  if (verdict instanceof Promise) verdict.catch(() => undefined);
  return verdict === true;
}

const UNKNOWN = Symbol('unknown');

function atom(value: unknown, { typedAs }: PropertyShape): unknown {
  return typedAs === 'date' && typeof value === 'string' ? new Date(value) : value;
}

function composite(value: object, shape: PropertyShape, nested: CompiledDto | undefined): unknown {
  if (!Array.isArray(value)) return nested === undefined ? UNKNOWN : (nested.build(value) ?? UNKNOWN);
  const items: unknown[] = [];
  for (const item of value as unknown[]) {
    const made = typeof item !== 'object' || item === null ? atom(item, shape) : nested && nested.build(item);
    if (made === undefined) return UNKNOWN;
    items.push(made);
  }
  return items;
}

const compiled = new WeakMap<DtoClass, CompiledDto | null>();

/** The class's rules, compiled at its first use; undefined if only class-validator can run them. */
export function compiledDto(dto: DtoClass): CompiledDto | undefined {
  let known = compiled.get(dto);
  if (known === undefined) {
    // A class that contains itself is left to class-validator: compiling it would not end.
    compiled.set(dto, null);
    known = canCompile(dto) ? new CompiledDto(dto) : null;
    compiled.set(dto, known);
  }
  return known ?? undefined;
}

function planOf(shape: PropertyShape, targetName: string): PropertyPlan {
  const storage = classValidator().getMetadataStorage();
  const rules = [...shape.rules.values()].flat();
  const nested = nestedClassOf(shape);
  return {
    shape,
    conditions: rules
      .filter(({ type }) => type === 'conditionalValidation')
      .map(({ constraints }) => constraints?.[0] as (object: object, value: unknown) => unknown),
    checks: rules
      .filter(({ type }) => type === 'customValidation' || type === 'isDefined')
      .flatMap(({ constraintCls, constraints, each, validateIf }) =>
        storage.getTargetValidatorConstraints(constraintCls as () => void).map(({ instance }) => ({
          constraint: instance as Constraint,
          each: each === true,
          validateIf,
          args: {
            targetName,
            property: shape.name,
            object: {},
            value: undefined,
            constraints: constraints as unknown[],
          },
        })),
      ),
    nested: nested && compiledDto(nested),
  };
}

const KNOWN_RULES: ReadonlySet<string> = new Set([
  'customValidation',
  'conditionalValidation',
  'nestedValidation',
  'whitelistValidation',
  'isDefined',
]);

function canCompile(dto: DtoClass): boolean {
  const { byName } = shapeOf(dto);
  if (byName.size === 0) return false;
  if (!fieldsOf(dto)?.every((name) => byName.has(name))) return false;
  return [...byName.values()].every((shape) => {
    // Under another name on the wire, what is read and what is written differ.
    if (shape.name !== shape.inputName) return false;
    if (![...shape.rules.values()].flat().every(({ type }) => KNOWN_RULES.has(type))) return false;
    if (!shape.rules.has('nestedValidation')) return true;
    const nested = nestedClassOf(shape);
    return nested !== undefined && compiledDto(nested) !== undefined;
  });
}

/** What an instance has from the start; class-validator's whitelist refuses those without a rule. */
function fieldsOf(dto: DtoClass): string[] | undefined {
  try {
    return Object.keys(new (dto as new () => object)());
  } catch {
    return undefined;
  }
}

/** The one class that a nested value has, whatever it holds. */
function nestedClassOf({ nested }: PropertyShape): DtoClass | undefined {
  return nested?.fixed;
}

function isPlain(dto: DtoClass): boolean {
  const storage = transformerStorage;
  if (storage.getExposedMetadatas(dto).length > 0 || storage.getExcludedMetadatas(dto).length > 0)
    return false;
  if (storage.getStrategy(dto) !== 'none') return false;
  return [...shapeOf(dto).byName.values()].every(
    ({ transformed, changesText }) => !transformed && !changesText,
  );
}
