import {
  PLAIN_TO_CLASS,
  TRANSFORM_OPTIONS,
  type TransformMetadata,
  type TypeMetadata,
} from '../transformer-storage.js';
import { conversionOf, type KeyConversion } from './class-conversion.js';
import { isDiscriminated, subTypeOf, subTypeOfItem } from './sub-type.js';

type Raw = Readonly<Record<string, unknown>>;

/** The instance that class-transformer's `plainToInstance()`, without options, makes of a value. */
export function convert(value: unknown, target: unknown): unknown {
  return convertValue(value, target, undefined, false);
}

/** @param listType what the emitted type says that a list is to become */
function convertValue(value: unknown, target: unknown, listType: unknown, isMap: boolean): unknown {
  if (typeof value !== 'object' || value === null)
    return isMap || target === undefined ? value : convertAtom(value, target);
  if (Array.isArray(value) || value instanceof Set) return convertList(value, target, listType);
  if (isMap) return convertObject(value, target, true);
  if (isPrimitive(target)) return target(value);
  if (value instanceof Date) return new Date(value.valueOf());
  if (target === Date) return new Date(value as never);
  if (target === Buffer || value instanceof Buffer) return Buffer.from(value as Buffer);
  if (isPromise(value)) {
    return new Promise((resolve, reject) => {
      value.then((held) => resolve(convertValue(held, target, undefined, false)), reject);
    });
  }
  return convertObject(value, target, false);
}

function convertAtom(value: unknown, target: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (isPrimitive(target)) return target(value);
  if (target === Date) return new Date(value as string);
  return target === Buffer ? Buffer.from(value as string) : value;
}

function isPrimitive(target: unknown): target is (value: unknown) => unknown {
  return target === String || target === Number || target === Boolean;
}

function convertList(list: readonly unknown[] | Set<unknown>, target: unknown, listType: unknown): unknown {
  const items = emptyList(listType);
  const values = list instanceof Set ? Array.from(list) : list;
  for (let i = 0; i < values.length; i++) {
    if (!(i in values)) continue;
    const value = values[i];
    const type = isDiscriminated(target) ? subTypeOfItem(value, target, items) : target;
    const item = convertValue(value, type, undefined, value instanceof Map);
    if (items instanceof Set) items.add(item);
    else items.push(item);
  }
  return items;
}

function emptyList(type: unknown): unknown[] | Set<unknown> {
  if (!type || type === Array) return [];
  const list = new (type as new () => object)();
  return list instanceof Set || 'push' in list ? (list as unknown[]) : [];
}

function convertObject(value: object, declared: unknown, isMap: boolean): object {
  const target = declared || guessedType(value);
  const conversion = conversionOf(target);
  const made: object = isMap ? new Map() : target ? new (target as new () => object)() : {};
  const isOfTarget = made.constructor === (target ?? Object);
  const copies = isOfTarget && !(made instanceof Map);
  if (isMap || value instanceof Map || !conversion.readsOwnKeys) {
    for (const name of conversion.keysOf(value, isMap)) {
      const key = conversion.key(name);
      if (key === undefined && copies) copyMember(name, value as Raw, made);
      else convertMember(name, key, value as Raw, made, target, isOfTarget, isMap);
    }
    return made;
  }
  // The same keys, without a list of them.
  for (const name in value) {
    if (!Object.prototype.hasOwnProperty.call(value, name)) continue;
    const key = conversion.key(name);
    if (key === undefined && copies) copyMember(name, value as Raw, made);
    else convertMember(name, key, value as Raw, made, target, isOfTarget, false);
  }
  return made;
}

/** Takes over a value that no decorator tells of. */
function copyMember(name: string, value: Raw, made: object): void {
  if (isReserved(name) || holdsMethod(made, name)) return;
  const raw = value[name];
  (made as Record<string, unknown>)[name] =
    typeof raw === 'object' && raw !== null
      ? convertValue(raw, undefined, undefined, raw instanceof Map)
      : raw;
}

function convertMember(
  name: string,
  key: KeyConversion | undefined,
  value: Raw,
  made: object,
  target: unknown,
  isOfTarget: boolean,
  isMap: boolean,
): void {
  if (isReserved(name)) return;
  const raw = value[name];
  const property = key === undefined ? name : key.property;
  const type = typeFor(key, raw, value, made, isMap ? target : undefined, property);
  if ((isOfTarget ? key?.isBlocked : isBlocked(made, property)) || holdsMethod(made, property)) return;
  const listType = key?.type && Array.isArray(raw) ? key.type.reflectedType : undefined;
  const isPartMap = raw instanceof Map || (!isMap && key?.type?.reflectedType === Map);
  let part = convertValue(raw, type, listType, isPartMap);
  if (key !== undefined && key.transforms.length > 0) part = transformed(part, key, value);
  if (made instanceof Map) made.set(property, part);
  else (made as Record<string, unknown>)[property] = part;
}

/** Names that class-transformer passes over wherever they stand. */
function isReserved(name: string): boolean {
  return name === '__proto__' || name === 'constructor';
}

/** The type of a value that nothing is declared of: its own, but for the list that an object only claims to be. */
function guessedType(value: object): unknown {
  const { constructor } = value;
  return constructor === Object || constructor === Array ? undefined : constructor;
}

function typeFor(
  key: KeyConversion | undefined,
  raw: unknown,
  owner: object,
  made: object,
  ofItems: unknown,
  property: string,
): unknown {
  if (ofItems) return ofItems;
  const type = key?.type;
  if (type === undefined) return undefined;
  const named = namedType(type, owner, made, property);
  if (!isDiscriminated(type)) return named;
  return Array.isArray(raw) ? type : (subTypeOf(raw, type) ?? named);
}

function namedType(type: TypeMetadata, owner: object, made: object, property: string): unknown {
  return type.typeFunction
    ? type.typeFunction({ newObject: made, object: owner, property })
    : type.reflectedType;
}

function transformed(value: unknown, { property, transforms }: KeyConversion, owner: object): unknown {
  let current = value;
  for (let i = 0; i < transforms.length; i++) {
    const { transformFn } = transforms[i] as TransformMetadata;
    current = transformFn({
      value: current,
      key: property,
      obj: owner,
      type: PLAIN_TO_CLASS,
      options: TRANSFORM_OPTIONS,
    });
  }
  return current;
}

/** Whether the class of an object has a method or a getter there, which class-transformer leaves alone. */
function isBlocked(made: object, property: string): boolean {
  const member = Object.getOwnPropertyDescriptor(made.constructor.prototype as object, property);
  return member !== undefined && member.set === undefined;
}

function holdsMethod(made: object, property: string): boolean {
  return typeof (made as Raw)[property] === 'function';
}

function isPromise(value: object): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown }).then === 'function';
}
