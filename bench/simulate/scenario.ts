export const MODES = ['exact', 'lease', 'local', 'fixed window'] as const;
export const PROFILES = ['steady', 'bursty', 'adversarial'] as const;

/**
 * - `exact`: one shared counter, asked once for each request;
 * - `lease`: the shared counter hands permits out to nodes in advance;
 * - `local`: each node counts for itself, with its share of the limit;
 * - `fixed window`: one shared counter as it is common elsewhere, which begins anew when its window is over.
 */
export type Mode = (typeof MODES)[number];
/**
 * - `steady`: requests at random times, on random nodes;
 * - `bursty`: sources that are silent or send many requests over a few connections;
 * - `adversarial`: clients that know the algorithm, see `adversaries.ts`.
 */
export type Profile = (typeof PROFILES)[number];

/** One run. */
export interface Scenario {
  readonly profile: Profile;
  readonly mode: Mode;
  readonly nodes: number;
  /** How many keys there are; they are numbered from 0. */
  readonly keys: number;
  /** Whether each key sends a request at least once, whatever the profile. */
  readonly visitAll: boolean;
  readonly windowMs: number;
  /** Units in a window for each key. */
  readonly limit: number;
  readonly durationMs: number;
  readonly seed: number;
}

/** The key of one large tenant, whose limit is {@link TENANT_FACTOR} times that of others. */
export const TENANT = 0;
const TENANT_FACTOR = 20;

/** How long a node may hold permits at most, in milliseconds. */
export const LEASE_MS = 1_000;

export function limitOf(key: number, { limit }: Scenario): number {
  return key === TENANT ? limit * TENANT_FACTOR : limit;
}
