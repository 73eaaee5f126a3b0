import { MODES, PROFILES, type Scenario } from './scenario.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Which runs there are. */
export interface Suite {
  /** Every profile, mode and number of nodes. */
  readonly matrix: readonly Scenario[];
  /** More and more keys, each of which is seen, under a window as long as the run: no counter lapses. */
  readonly sweep: readonly Scenario[];
}

const BASE = { windowMs: MINUTE_MS, limit: 1_200, durationMs: HOUR_MS, visitAll: false, seed: 20_260_101 };
const SWEEP_NODES = 100;

/** One hour of traffic. */
export const FULL: Suite = suite([10, 100, 1_000], 100_000, [10_000, 100_000, 1_000_000, 10_000_000], {});
/** Some minutes of it, in seconds. */
export const QUICK: Suite = suite([10, 100], 10_000, [10_000], { durationMs: 6 * MINUTE_MS });

function suite(
  nodeCounts: readonly number[],
  keys: number,
  keyCounts: readonly number[],
  change: Partial<Scenario>,
): Suite {
  const base = { ...BASE, ...change };
  const matrix = PROFILES.flatMap((profile) =>
    nodeCounts.flatMap((nodes) => MODES.map((mode) => ({ ...base, profile, nodes, mode, keys }))),
  );
  const sweep = keyCounts.flatMap((many) =>
    MODES.map((mode) => ({
      ...base,
      profile: 'bursty' as const,
      mode,
      nodes: SWEEP_NODES,
      keys: many,
      visitAll: true,
      windowMs: base.durationMs,
      // Less than the busiest of them send.
      limit: (base.limit * base.durationMs) / base.windowMs / 6,
    })),
  );
  return { matrix, sweep };
}
