import { isDeepStrictEqual } from 'node:util';

/** Where a key stands in an input: names and indexes from the root. */
export type KeyPath = readonly PropertyKey[];

const MAX_KEYS = 256;

/** Keys of an input that are in no object of the output: unknown ones that were dropped, or known ones that were turned into something else. */
export function droppedKeys(input: unknown, output: unknown): KeyPath[] {
  const dropped: KeyPath[] = [];
  const waiting: (readonly [unknown, unknown, KeyPath])[] = [[input, output, []]];
  for (let next = waiting.pop(); next && dropped.length < MAX_KEYS; next = waiting.pop()) {
    const [from, to, path] = next;
    if (Array.isArray(from)) {
      if (Array.isArray(to) && to.length === from.length)
        for (let i = from.length - 1; i >= 0; i--) waiting.push([from[i], to[i], [...path, i]]);
    } else if (isPlain(from) && isPlain(to)) {
      for (const key of Object.keys(from)) {
        if (Object.hasOwn(to, key)) waiting.push([from[key], to[key], [...path, key]]);
        else dropped.push([...path, key]);
      }
    }
  }
  return dropped;
}

/** The input without some of its keys; what is not on the way to them is shared. */
export function withoutKeys(input: unknown, paths: readonly KeyPath[]): unknown {
  let copy = input;
  for (const path of paths) copy = withoutKey(copy, path);
  return copy;
}

function withoutKey(value: unknown, [key, ...rest]: KeyPath): unknown {
  if (key === undefined) return value;
  if (Array.isArray(value)) return value.with(Number(key), withoutKey(value[Number(key)], rest));
  const copy = { ...(value as Record<PropertyKey, unknown>) };
  if (rest.length === 0) delete copy[key];
  else copy[key] = withoutKey(copy[key], rest);
  return copy;
}

/** Whether two outputs of a schema are the same. */
export const isSame = (one: unknown, other: unknown): boolean => isDeepStrictEqual(one, other);

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Reflect.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
