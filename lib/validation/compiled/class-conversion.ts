import { isTextTransform } from '../sanitize/text-transform.js';
import {
  convertedNames,
  type DtoClass,
  PLAIN_TO_CLASS,
  transformerStorage,
  type TransformMetadata,
  type TypeMetadata,
} from '../transformer-storage.js';

/** What becomes of one key of a raw object. */
export interface KeyConversion {
  /** The property that it is written to. */
  readonly property: string;
  readonly type: TypeMetadata | undefined;
  readonly transforms: readonly TransformMetadata[];
  /** The class has a method or a getter there: nothing is written. */
  readonly isBlocked: boolean;
}

/** What class-transformer's decorators say of one class, looked up once. */
export class ClassConversion {
  readonly #keys: ReadonlyMap<string, KeyConversion>;
  readonly #exposed: readonly string[];
  readonly #dropped: ReadonlySet<string>;
  readonly #exposesAll: boolean;
  /** Exactly the own keys of a raw object are read, and no function of the application's could change it meanwhile. */
  readonly readsOwnKeys: boolean;

  constructor(target: DtoClass | undefined) {
    const names = namesOf(target);
    this.#exposed = Object.freeze(target ? exposedNames(target) : []);
    this.#dropped = new Set(target ? droppedNames(target) : []);
    this.#exposesAll = transformerStorage.getStrategy(target as DtoClass) !== 'excludeAll';
    this.#keys = new Map(names.map((name) => [name, keyConversion(target, name)]));
    const isSelective = this.#exposed.length > 0 || this.#dropped.size > 0;
    this.readsOwnKeys = this.#exposesAll && !isSelective && [...this.#keys.values()].every(isUntouched);
    Object.freeze(this);
  }

  /** What becomes of a key; undefined for one that no decorator tells of, which is copied. */
  key(name: string): KeyConversion | undefined {
    return this.#keys.get(name);
  }

  /** The keys of a raw object that are read, in order. */
  keysOf(value: object, isMap: boolean): readonly string[] {
    const own = this.#exposesAll || isMap ? ownKeys(value) : [];
    if (isMap || (this.#exposed.length === 0 && this.#dropped.size === 0)) return own;
    const keys: string[] = [];
    for (const name of own) if (!this.#dropped.has(name)) keys.push(name);
    for (const name of this.#exposed) if (!this.#dropped.has(name) && !keys.includes(name)) keys.push(name);
    return keys;
  }
}

function isUntouched({ type, transforms }: KeyConversion): boolean {
  return transforms.every(({ transformFn }) => isTextTransform(transformFn)) && !type?.typeFunction?.length;
}

function ownKeys(value: object): string[] {
  return value instanceof Map ? Array.from(value.keys() as MapIterator<string>) : Object.keys(value);
}

/** Every key that a decorator, or a member of the class itself, says something about. */
function namesOf(target: DtoClass | undefined): string[] {
  const names = new Set(Object.getOwnPropertyNames((target ?? Object).prototype ?? {}));
  if (target === undefined) return [...names];
  for (const { propertyName, options } of transformerStorage.getExposedMetadatas(target)) {
    names.add(propertyName);
    if (options?.name !== undefined) names.add(options.name);
  }
  return [...names, ...convertedNames(target)];
}

function exposedNames(target: DtoClass): string[] {
  return transformerStorage
    .getExposedProperties(target, PLAIN_TO_CLASS)
    .map((name) => transformerStorage.findExposeMetadata(target, name)?.options?.name || name);
}

/** Excluded, or exposed to groups only: the module asks for none. */
function droppedNames(target: DtoClass): string[] {
  const inGroups = transformerStorage
    .getExposedMetadatas(target)
    .map(({ propertyName }) => propertyName)
    .filter((name) => transformerStorage.findExposeMetadata(target, name)?.options?.groups?.length);
  return [...transformerStorage.getExcludedProperties(target, PLAIN_TO_CLASS), ...inGroups];
}

function keyConversion(target: DtoClass | undefined, name: string): KeyConversion {
  const property =
    (target && transformerStorage.findExposeMetadataByCustomName(target, name)?.propertyName) ?? name;
  const type = target && transformerStorage.findTypeMetadata(target, property);
  const member = Object.getOwnPropertyDescriptor((target ?? Object).prototype ?? {}, property);
  return Object.freeze({
    property,
    type,
    transforms: Object.freeze(target ? transformsOf(target, property) : []),
    isBlocked: member !== undefined && member.set === undefined,
  });
}

function transformsOf(target: DtoClass, property: string): TransformMetadata[] {
  return transformerStorage
    .findTransformMetadatas(target, property, PLAIN_TO_CLASS)
    .filter(({ options }) => !options?.groups?.length);
}

const conversions = new WeakMap<DtoClass, ClassConversion>();
const untyped = new ClassConversion(undefined);

/** The conversion of a class, compiled at its first use; that of a plain object for none. */
export function conversionOf(target: unknown): ClassConversion {
  if (!target) return untyped;
  // class-transformer fails over what is no class, and so does this.
  if (typeof target !== 'function') return new ClassConversion(target as DtoClass);
  const dto = target as DtoClass;
  let conversion = conversions.get(dto);
  if (conversion === undefined) conversions.set(dto, (conversion = new ClassConversion(dto)));
  return conversion;
}
