import type { ApiKeyChange } from '../authentication/api-key/api-key-store.js';

/** The change that a message tells of; what is not understood, as from a later version, may be anything. */
export function changeOf(message: string): ApiKeyChange {
  let told: unknown;
  try {
    told = JSON.parse(message);
  } catch {
    return 'anything';
  }
  if (typeof told !== 'object' || told === null) return 'anything';
  const { id, owner } = told as { readonly id?: unknown; readonly owner?: unknown };
  if (typeof id === 'string') return { id };
  return typeof owner === 'string' ? { owner } : 'anything';
}
