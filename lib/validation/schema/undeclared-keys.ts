import { isDeepStrictEqual } from 'node:util';

import { answerOf, type StandardSchema } from './standard-schema.js';

/** Where a key stands in an input: names and indexes from the root. */
export type KeyPath = readonly PropertyKey[];

const MAX_KEYS = 256;
/** Keys that are looked at one by one, if looking at all together does not tell. */
const LOOKED_AT = 20;
/** What no schema expects: one that looks at a key does not take it there. */
const STRANGE = Symbol('undeclared');

/** The keys of an input that a schema takes no notice of. @param output what the schema makes of the input */
export async function undeclaredKeys(
  input: unknown,
  output: unknown,
  schema: StandardSchema,
): Promise<readonly KeyPath[]> {
  const dropped = droppedKeys(input, output);
  if (dropped.length === 0 || (await areIgnored(dropped, input, output, schema))) return dropped;
  const ignored: KeyPath[] = [];
  for (const key of dropped.slice(0, LOOKED_AT))
    if (await areIgnored([key], input, output, schema)) ignored.push(key);
  return ignored;
}

/** Whether it is all the same to a schema if keys are there, or what they hold. */
async function areIgnored(
  keys: readonly KeyPath[],
  input: unknown,
  output: unknown,
  schema: StandardSchema,
): Promise<boolean> {
  const without = await outputOf(schema, withKeys(input, keys));
  if (!without) return false;
  const strange = await outputOf(schema, withKeys(input, keys, STRANGE));
  if (!strange) return false;
  if (isDeepStrictEqual(without.value, output) && isDeepStrictEqual(strange.value, output)) return true;
  // Output that is never twice the same, such as a new id, does not tell whether a key counts: then none does.
  const again = await outputOf(schema, input);
  return again !== undefined && !isDeepStrictEqual(again.value, output);
}

async function outputOf(
  schema: StandardSchema,
  input: unknown,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    const result = await answerOf(schema, input);
    return result.issues ? undefined : result;
  } catch {
    return undefined;
  }
}

/** Keys of an input that are in no object of the output: unknown ones that were dropped, or known ones that were turned into something else. */
function droppedKeys(input: unknown, output: unknown): KeyPath[] {
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

/** The input without some of its keys, or with something else under them; what is not on the way to them is shared. */
function withKeys(input: unknown, paths: readonly KeyPath[], value?: symbol): unknown {
  let copy = input;
  for (const path of paths) copy = withKey(copy, path, value);
  return copy;
}

function withKey(holder: unknown, [key, ...rest]: KeyPath, value: symbol | undefined): unknown {
  if (key === undefined) return holder;
  if (Array.isArray(holder)) return holder.with(Number(key), withKey(holder[Number(key)], rest, value));
  const copy = { ...(holder as Record<PropertyKey, unknown>) };
  if (rest.length > 0) copy[key] = withKey(copy[key], rest, value);
  else if (value === undefined) delete copy[key];
  else copy[key] = value;
  return copy;
}

/** An object that is nothing but its members. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Reflect.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
