import { type Grant, LeaseStore } from './lease-store.js';
import { NodeClock } from './node-clock.js';
import type { Limiter, Play, Request } from './play.js';
import { Random } from './random.js';
import { limitOf } from './scenario.js';

/** How long a node may hold permits, and how long it remembers a key that it has asked about. */
const TTL_MS = 1_000;

/** What a node knows of a key. Times are true ones, as the node's clock leads to them. */
export class Lease {
  /** Permits left, until {@link until}. */
  permits = 0;
  until = 0;
  /** The same moment on the store's clock. */
  endsAt = 0;
  granted = 0;
  /** How many permits to ask for. */
  wanted = 1;
  refusedUntil = 0;
  asking = false;
  askedAt = 0;
  /** Requests that wait for the answer. */
  waiting: Request[] | undefined;
}

/** Permits that nodes take in advance and hand out. A model: how many nodes play together, and what it costs them. */
export class LeaseLimiter implements Limiter {
  readonly #store: LeaseStore;
  readonly #clocks: readonly NodeClock[];
  readonly #leases: readonly Map<number, Lease>[];

  constructor(private readonly play: Play) {
    const { scenario } = play;
    const random = new Random(scenario.seed + 3);
    this.#store = new LeaseStore(scenario, TTL_MS);
    this.#clocks = Array.from({ length: scenario.nodes }, () => new NodeClock(random));
    this.#leases = this.#clocks.map(() => new Map<number, Lease>());
  }

  take(request: Request): void {
    const { play } = this;
    const lease = this.#leases[request.node]!.get(request.key) ?? this.#open(request);
    if (lease.asking) (lease.waiting ??= []).push(request);
    else if (play.now < lease.refusedUntil) play.settle(request, false, lease.refusedUntil - play.now);
    else if (lease.permits > 0 && play.now < lease.until) {
      lease.permits--;
      play.settle(request, true, 0);
    } else this.#ask(lease, request);
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

  #open({ key, node }: Request): Lease {
    const leases = this.#leases[node]!;
    const lease = new Lease();
    leases.set(key, lease);
    const forget = () => {
      const { now } = this.play;
      const needed = Math.max(lease.askedAt + TTL_MS, lease.until, lease.refusedUntil);
      if (lease.asking) this.play.later(TTL_MS, forget);
      else if (needed > now) this.play.later(needed - now, forget);
      else leases.delete(key);
    };
    this.play.later(TTL_MS, forget);
    return lease;
  }

  #ask(lease: Lease, request: Request): void {
    const { play } = this;
    const { key, node } = request;
    const sentAt = play.now;
    // Used up before its time: the key is busier than it was. A key that is new to the node is taken for a slow one.
    if (lease.granted > 0 && sentAt < lease.askedAt + TTL_MS)
      lease.wanted = Math.min(limitOf(key, play.scenario), 2 * lease.granted);
    lease.asking = true;
    lease.askedAt = sentAt;
    play.later(play.ask(key), () => {
      const grant = this.#store.take(key, play.now, lease.wanted);
      play.settle(request, grant.granted > 0, grant.resetMs);
      play.later(play.oneWay(), () => this.#answered(lease, node, key, grant, sentAt));
    });
  }

  #answered(lease: Lease, node: number, key: number, grant: Grant, sentAt: number): void {
    const { play } = this;
    lease.asking = false;
    lease.granted = grant.granted;
    if (grant.granted === 0) lease.refusedUntil = play.now + grant.resetMs;
    lease.permits = Math.max(0, grant.granted - 1);
    if (lease.permits > 0) {
      // Counted from before the store was asked, so that it is over for the node before it is for the store.
      const clock = this.#clocks[node]!;
      lease.until = clock.when(clock.read(sentAt) + grant.leaseMs);
      lease.endsAt = grant.endsAt;
      play.later(Math.max(0, lease.until - play.now), () => this.#end(lease, key, grant.endsAt));
    }
    const { waiting } = lease;
    lease.waiting = undefined;
    for (const request of waiting ?? []) this.take(request);
  }

  /** The end of a lease: what was not used goes back, unless another lease has followed. */
  #end(lease: Lease, key: number, endsAt: number): void {
    if (lease.permits === 0 || lease.endsAt !== endsAt) return;
    const unused = lease.permits;
    lease.wanted = lease.granted - unused;
    lease.granted = 0;
    lease.permits = 0;
    this.play.later(this.play.ask(key), () => this.#store.giveBack(key, endsAt, unused));
  }
}
