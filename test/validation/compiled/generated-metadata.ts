import { getMetadataStorage } from 'class-validator';

import { transformerStorage } from '../../../lib/validation/transformer-storage.js';
import type { Dto } from './both-ways.js';

type Kept = Map<unknown, unknown>;

/** Takes generated classes out of both packages' storages, through which class-validator searches at each validation. */
export function forget(classes: readonly Dto[]): void {
  const rules = (getMetadataStorage() as unknown as { readonly validationMetadatas: Kept })
    .validationMetadatas;
  const storages = Object.values(transformerStorage).filter((kept) => kept instanceof Map) as Kept[];
  for (const one of classes) for (const kept of [rules, ...storages]) kept.delete(one);
}

/** A copy as deep as the plain objects and lists go; class-transformer takes discriminators out of what it is given. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copyOf(one as unknown)])) as T;
}
