import type { Play } from './play.js';
import type { Random } from './random.js';
import { LEASE_MS } from './scenario.js';

/** Of each kind of client, each with a key of its own. */
const CLIENTS = 4;
const CONNECTIONS = 10;
const FLOOD_PER_SECOND = 100;
const BURST_MS = 250;
const EDGE_MS = 50;

type Adversary = (play: Play, random: Random, key: number) => void;

const KINDS: readonly Adversary[] = [burstAtEdges, hop, waitForReset, strand, hoard];

/** Keys of adversaries are the last ones, where ordinary clients are few. The first is one that bursts at the edges of windows. */
export function firstAdversary(keys: number): number {
  return keys - KINDS.length * CLIENTS;
}

/** Clients that know the algorithms. All of their keys are watched. */
export function startAdversaries(play: Play, random: Random): void {
  let key = firstAdversary(play.scenario.keys);
  flood(play, random, key);
  for (const start of KINDS) {
    for (let client = 0; client < CLIENTS; client++, key++) {
      play.watch(key);
      start(play, random, key);
    }
  }
}

/**
 * Twice the limit where two fixed windows meet: one request opens a window, the rest of the limit follows just before it ends, and
 * the whole limit just after.
 */
function burstAtEdges(play: Play, random: Random, key: number): void {
  const { limit, windowMs, nodes } = play.scenario;
  let connected: number[] = [];
  const burst = (requests: number) => sendAll(play, key, connected, requests, BURST_MS);
  const open = () => {
    connected = random.some(CONNECTIONS, nodes);
    burst(1);
    play.later(windowMs - EDGE_MS - BURST_MS, () => burst(limit - 1));
    play.later(windowMs + EDGE_MS, () => burst(limit));
    play.later(2 * windowMs + 4 * EDGE_MS, open);
  };
  play.later(random.between(0, windowMs / 10), open);
}

/** Three times the limit all the time, each request on the next node. */
function hop(play: Play, random: Random, key: number): void {
  const { limit, windowMs, nodes } = play.scenario;
  let node = random.below(nodes);
  play.atRandom(random, (3 * limit * 1_000) / windowMs, () => {
    node = (node + 1) % nodes;
    play.send(key, node);
  });
}

/** As fast as it can until it is refused; then it waits exactly as long as it was told, and changes its connections. */
function waitForReset(play: Play, random: Random, key: number): void {
  const { nodes } = play.scenario;
  let connected: number[] = [];
  const reconnect = () => {
    connected = random.some(CONNECTIONS, nodes);
    fire();
  };
  const answered = (allowed: boolean, resetMs: number) => {
    play.later(allowed ? 2 : resetMs, allowed ? fire : reconnect);
  };
  const fire = () => play.send(key, connected[random.below(connected.length)]!, answered);
  play.later(random.exponential(1_000), reconnect);
}

/** Makes one node after the other take a lease, and leaves when it has got one. */
function strand(play: Play, random: Random, key: number): void {
  const { limit, windowMs, nodes } = play.scenario;
  const everyMs = windowMs / (2 * limit);
  let node = 0;
  let stay = 0;
  const fire = () => {
    if (stay-- === 0) {
      node = random.below(nodes);
      stay = 8;
    }
    play.send(key, node);
    play.later(stay === 0 ? 8 * everyMs : 1, fire);
  };
  play.later(random.exponential(1_000), fire);
}

/**
 * Makes one node take as large a lease as it gives, uses it up around its very end, and takes the whole limit elsewhere when a counter that
 * remembers the lease wrongly would have forgotten it: a window after it was taken, or after it has ended.
 */
function hoard(play: Play, random: Random, key: number): void {
  const { limit, windowMs, nodes } = play.scenario;
  // Asked for one more at each power of two, the node doubles what it takes.
  const most = 2 ** Math.floor(Math.log2(Math.max(1, limit / (2 * nodes))));
  const begin = () => {
    const [hoarding = 0, ...others] = random.some(CONNECTIONS + 1, nodes);
    sendAll(play, key, [hoarding], most, 3 * most);
    const taken = 3 * (most - 1);
    // Before the end, so that a lease counted from its beginning is forgotten too early; or after it, if the node goes on.
    const late = random.next() < 0.5;
    const spend = taken + LEASE_MS + (late ? 5 : -25);
    play.later(spend, () => sendAll(play, key, [hoarding], most - 1, 20));
    const burst = taken + windowMs + (late ? LEASE_MS : 0);
    play.later(burst, () => sendAll(play, key, others, 2 * limit, late ? 20 : LEASE_MS));
    play.later(random.between(2.5, 3) * windowMs, begin);
  };
  play.later(random.between(0, windowMs), begin);
}

/** Sends so many requests in so many milliseconds, over one connection after the other. */
function sendAll(
  play: Play,
  key: number,
  connected: readonly number[],
  requests: number,
  inMs: number,
): void {
  let sent = 0;
  const fire = () => {
    play.send(key, connected[sent % connected.length]!);
    if (++sent < requests) play.later(inMs / requests, fire);
  };
  fire();
}

/** Keys that were never seen before, so that counters pile up. */
function flood(play: Play, random: Random, end: number): void {
  const { nodes } = play.scenario;
  const start = Math.min(1_000, end >> 1);
  let key = start;
  play.atRandom(random, FLOOD_PER_SECOND, () => {
    play.send(key, random.below(nodes));
    if (++key === end) key = start;
  });
}
