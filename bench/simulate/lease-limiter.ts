import { type Grant, LeaseStore } from './lease-store.js';
import { NodeClock } from './node-clock.js';
import type { Limiter, Play, Request } from './play.js';
import { Random } from './random.js';
import { LEASE_MS, limitOf, type Scenario, TENANT } from './scenario.js';

/** Part of what was used that is asked for beyond it. */
const MARGIN = 1.25;
/** How often a node gives back what was not used in time. */
const SWEEP_MS = 250;
/** How long a no is believed at most: other nodes may give permits back. */
const NO_MS = 1_000;
/** Leases in a row that are over when their answer comes; then the store decides about each request. */
const MAX_LATE = 2;

/** What a node knows of a key: its lease, if `granted` is not 0, and what was refused. Times are true ones, as the node's clock leads to them. */
export class Lease {
  granted = 0;
  left = 0;
  from = 0;
  until = 0;
  /** The end on the store's clock, which the permits are counted at. */
  endsAt = 0;
  wanted = 1;
  refusedUntil = 0;
  resetAt = 0;
  asking = false;
  late = 0;
  waiting: Request[] | undefined;

  /** Learns from what became of the last lease how much to ask for. */
  adapt(now: number, limit: number): void {
    if (this.granted === 0) return;
    const used = this.granted - this.left;
    const rate = Math.ceil((MARGIN * used * LEASE_MS) / Math.max(1, this.until - this.from));
    if (now < this.until) this.wanted = Math.min(limit, 2 * Math.max(this.wanted, used));
    else if (this.left > 0) this.wanted = Math.max(1, Math.min(this.wanted, rate));
  }
}

/** Permits that nodes take in advance and hand out. A model of nodes that play together, by the same rules as those of the Redis storage. */
export class LeaseLimiter implements Limiter {
  readonly #scenario: Scenario;
  readonly #store: LeaseStore;
  readonly #clocks: readonly NodeClock[];
  readonly #leases: readonly Map<number, Lease>[];

  constructor(private readonly play: Play) {
    this.#scenario = play.scenario;
    const random = new Random(this.#scenario.seed + 3);
    this.#store = new LeaseStore(this.#scenario);
    this.#clocks = Array.from({ length: this.#scenario.nodes }, () => new NodeClock(random));
    this.#leases = this.#clocks.map(() => new Map<number, Lease>());
  }

  take(request: Request): void {
    const { play } = this;
    const { node, key } = request;
    const lease = this.#leases[node]!.get(key) ?? this.#open(node, key);
    if (this.#handOut(lease, request)) return;
    if (play.now < lease.refusedUntil) play.settle(request, false, lease.resetAt - play.now);
    else {
      (lease.waiting ??= []).push(request);
      if (!lease.asking) this.#ask(lease, node, key);
    }
  }

  inStore(): number {
    return this.#store.live(this.play.now);
  }

  onNode(): number {
    return Math.max(...this.#leases.map(({ size }) => size));
  }

  close(): void {
    for (const leases of this.#leases) leases.clear();
  }

  #open(node: number, key: number): Lease {
    const leases = this.#leases[node]!;
    if (leases.size === 0) this.play.later(SWEEP_MS, () => this.#sweep(node));
    const lease = new Lease();
    leases.set(key, lease);
    return lease;
  }

  #handOut(lease: Lease, request: Request): boolean {
    if (lease.left === 0 || this.play.now >= lease.until) return false;
    lease.left--;
    this.play.settle(request, true, 0);
    return true;
  }

  /** One question to the store at a time: for all who wait, and for what may be wanted beyond. */
  #ask(lease: Lease, node: number, key: number): void {
    const { play } = this;
    const sentAt = play.now;
    lease.asking = true;
    lease.adapt(sentAt, limitOf(key, this.#scenario));
    const needed = lease.waiting?.length ?? 0;
    play.later(play.ask(key), () => {
      const grant = this.#store.take(key, play.now, needed, lease.wanted, LEASE_MS);
      play.later(play.oneWay(), () => this.#answered(lease, node, key, grant, sentAt));
    });
  }

  #answered(lease: Lease, node: number, key: number, grant: Grant, sentAt: number): void {
    const { play } = this;
    const { granted, leaseMs, endsAt, resetMs } = grant;
    const gaveBack = lease.left > 0;
    if (gaveBack) this.#giveBack([[key, lease.endsAt, lease.left]]);
    // Counted from before the store was asked, so that it is over for the node before it is for the store.
    const clock = this.#clocks[node]!;
    const until = clock.when(clock.read(sentAt) + leaseMs);
    Object.assign(lease, { asking: false, granted, left: granted, from: sentAt, until, endsAt });
    if (granted === 0 && !gaveBack) {
      lease.resetAt = play.now + resetMs;
      lease.refusedUntil = play.now + Math.min(NO_MS, resetMs);
    }
    if (granted > 0 && play.now >= until) lease.late++;
    const waiting = lease.waiting ?? [];
    lease.waiting = undefined;
    for (const request of waiting) {
      if (this.#handOut(lease, request)) continue;
      if (granted === 0) play.settle(request, false, resetMs);
      else if (lease.late >= MAX_LATE) this.#askExactly(request);
      else (lease.waiting ??= []).push(request);
    }
    if (lease.waiting) this.#ask(lease, node, key);
    else lease.late = 0;
  }

  #askExactly(request: Request): void {
    const { play } = this;
    play.later(play.ask(request.key), () => {
      const { granted, resetMs } = this.#store.take(request.key, play.now, 1, 0, 0);
      play.settle(request, granted === 1, resetMs);
    });
  }

  /** Gives back what was not used in time, all in one message, and forgets keys that nobody uses. */
  #sweep(node: number): void {
    const { now } = this.play;
    const leases = this.#leases[node]!;
    const unused: (readonly [key: number, endsAt: number, permits: number])[] = [];
    for (const [key, lease] of leases) {
      if (lease.asking || (lease.granted > 0 && now < lease.until)) continue;
      if (lease.granted > 0) {
        lease.adapt(now, limitOf(key, this.#scenario));
        if (lease.left > 0) unused.push([key, lease.endsAt, lease.left]);
        lease.granted = 0;
        lease.left = 0;
      } else if (now >= lease.refusedUntil) leases.delete(key);
    }
    if (unused.length > 0) this.#giveBack(unused);
    if (leases.size > 0) this.play.later(SWEEP_MS, () => this.#sweep(node));
  }

  #giveBack(unused: readonly (readonly [key: number, endsAt: number, permits: number])[]): void {
    const ofTenant = unused.some(([key]) => key === TENANT);
    this.play.later(this.play.ask(ofTenant ? TENANT : unused[0]![0]), () => {
      for (const [key, endsAt, permits] of unused) this.#store.giveBack(key, endsAt, permits);
    });
  }
}
