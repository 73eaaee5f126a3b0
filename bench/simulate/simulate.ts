import { firstAdversary } from './adversaries.js';
import { LocalLimiter, SharedLimiter } from './counting-limiters.js';
import { LeaseLimiter } from './lease-limiter.js';
import { type Limiter, Play } from './play.js';
import type { Mode, Scenario } from './scenario.js';
import { startTraffic } from './traffic.js';

/** What one run has come to. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly requests: number;
  /** Of the watched keys together: requests let through, and requests that an exact sliding log over all nodes lets through. */
  readonly admitted: number;
  readonly allowed: number;
  /** Most units above a limit in any interval of one window, and the same as a multiple of the limit that it is. */
  readonly over: number;
  readonly busiest: number;
  /** The watched key that got the smallest part of what it was allowed. */
  readonly worstShare: number;
  readonly tripsPerRequest: number;
  readonly tenantTripsPerRequest: number;
  /** Most counters at once: in the shared store, and on one node. */
  readonly storeCounters: number;
  readonly nodeCounters: number;
  /** Of one client that bursts at the edges of windows: the most it got in a window, second by second. */
  readonly trace: readonly number[];
}

const SAMPLE_MS = 1_000;
/** Counters are counted so often, in seconds; those of the store less often, as it takes long. */
const COUNT_NODES_EVERY = 10;
const COUNT_STORE_EVERY = 300;
const TRACED_SECONDS = 360;
/** A key that asked for less says nothing about shares. */
const ENOUGH = 100;

const LIMITERS: Readonly<Record<Mode, (play: Play) => Limiter>> = {
  exact: (play) => new SharedLimiter(play, 'sliding-window'),
  lease: (play) => new LeaseLimiter(play),
  local: (play) => new LocalLimiter(play),
  'fixed window': (play) => new SharedLimiter(play, 'fixed-window'),
};

/** Plays one scenario. The same scenario gives the same outcome. */
export function simulate(scenario: Scenario): Outcome {
  const play = new Play(scenario);
  const limiter = LIMITERS[scenario.mode](play);
  startTraffic(play);
  const traced = play.watches.get(firstAdversary(scenario.keys));
  const trace: number[] = [];
  let samples = 0;
  let storeCounters = 0;
  let nodeCounters = 0;
  play.run(limiter, SAMPLE_MS, () => {
    if (traced && trace.length < TRACED_SECONDS) trace.push(traced.sample(play.now));
    samples++;
    if (samples % COUNT_NODES_EVERY === 0) nodeCounters = Math.max(nodeCounters, limiter.onNode());
    if (samples % COUNT_STORE_EVERY === 0) storeCounters = Math.max(storeCounters, limiter.inStore());
  });
  limiter.close();
  const watches = [...play.watches.values()];
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    scenario,
    requests: play.requests,
    admitted: sum(watches.map(({ admitted }) => admitted)),
    allowed: sum(watches.map(({ allowed }) => allowed)),
    over: Math.max(...watches.map(({ over }) => over)),
    busiest: Math.max(...watches.map(({ busiest, limit }) => busiest / limit)),
    worstShare: Math.min(
      ...watches
        .filter(({ allowed }) => allowed >= ENOUGH)
        .map(({ admitted, allowed }) => admitted / allowed),
    ),
    tripsPerRequest: play.roundTrips / play.requests,
    tenantTripsPerRequest: play.tenantRoundTrips / Math.max(1, play.tenantRequests),
    storeCounters,
    nodeCounters,
    trace,
  };
}

/** Whether a mode that never admits too much has done so. */
export function breaksPromise({ scenario: { mode }, over }: Outcome): boolean {
  return (mode === 'exact' || mode === 'lease') && over > 0;
}
