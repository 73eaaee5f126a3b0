import { EventQueue } from './event-queue.js';
import { KeyWatch } from './key-watch.js';
import { Random } from './random.js';
import { limitOf, type Scenario, TENANT } from './scenario.js';

/** A request that has reached a node. */
export interface Request {
  readonly key: number;
  readonly node: number;
  /** Told to a client that acts upon it. */
  readonly answered: Answered | undefined;
}

/** @param resetMs of a refused request: when it would pass */
export type Answered = (allowed: boolean, resetMs: number) => void;

/** What decides requests, on all nodes together. */
export interface Limiter {
  /** Decides now, or later when messages have come back; tells by {@link Play.settle}. */
  take(request: Request): void;
  /** Counters that are held now: in the shared store. */
  inStore(): number;
  /** On the node that holds most. */
  onNode(): number;
  close(): void;
}

const HOT_KEYS = 50;
const SAMPLED_KEYS = 200;
/** One way to the store: half a round trip of 0.5 to 2 ms. */
const ONE_WAY_MS = [0.25, 1] as const;

/** One run: the true time, what is to happen, the network, and the keys under observation. */
export class Play {
  /** Milliseconds since the run began. */
  now = 0;
  requests = 0;
  roundTrips = 0;
  tenantRequests = 0;
  tenantRoundTrips = 0;
  readonly watches = new Map<number, KeyWatch>();
  readonly #queue = new EventQueue();
  /** Not those of the traffic, which so is the same whatever the mode. */
  readonly #latencies: Random;
  #limiter: Limiter | undefined;

  constructor(readonly scenario: Scenario) {
    this.#latencies = new Random(scenario.seed + 1);
    const sample = new Random(scenario.seed + 2).some(SAMPLED_KEYS, scenario.keys);
    for (let key = 0; key < Math.min(HOT_KEYS, scenario.keys); key++) this.watch(key);
    for (const key of sample) this.watch(key);
  }

  watch(key: number): void {
    this.watches.set(key, new KeyWatch(limitOf(key, this.scenario), this.scenario.windowMs));
  }

  later(ms: number, task: () => void): void {
    this.#queue.add(this.now + ms, task);
  }

  /** Calls at random times, independent of each other. */
  atRandom(random: Random, perSecond: number, call: () => void): void {
    const fire = () => {
      call();
      this.later(random.exponential(1_000 / perSecond), fire);
    };
    this.later(random.exponential(1_000 / perSecond), fire);
  }

  /** A client sends a request to a node. */
  send(key: number, node: number, answered?: Answered): void {
    this.requests++;
    if (key === TENANT) this.tenantRequests++;
    this.watches.get(key)?.arrive(this.now);
    this.#limiter!.take({ key, node, answered });
  }

  /** Counts one exchange with the store, and tells how long the first half of it takes. */
  ask(key: number): number {
    this.roundTrips++;
    if (key === TENANT) this.tenantRoundTrips++;
    return this.oneWay();
  }

  oneWay(): number {
    return this.#latencies.between(...ONE_WAY_MS);
  }

  /** A request is decided at this moment, in the store or on its node. */
  settle({ key, answered }: Request, allowed: boolean, resetMs: number): void {
    if (allowed) this.watches.get(key)?.admit(this.now);
    answered?.(allowed, resetMs);
  }

  /** Plays to the end; `sample` is called once in every `sampleMs`. */
  run(limiter: Limiter, sampleMs: number, sample: () => void): void {
    this.#limiter = limiter;
    const { durationMs } = this.scenario;
    for (let sampleAt = sampleMs; sampleAt <= durationMs; sampleAt += sampleMs) {
      while (this.#queue.next <= sampleAt) {
        this.now = this.#queue.next;
        this.#queue.shift()();
      }
      this.now = sampleAt;
      sample();
    }
  }
}
