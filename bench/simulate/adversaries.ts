import type { Play } from './play.js';
import type { Random } from './random.js';

/** Of each kind of client, each with a key of its own. */
const CLIENTS = 4;
const CONNECTIONS = 10;
const FLOOD_PER_SECOND = 100;
const BURST_MS = 250;
const EDGE_MS = 50;

type Adversary = (play: Play, random: Random, key: number) => void;

const KINDS: readonly Adversary[] = [burstAtEdges, hop, waitForReset, strand];

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
  const burst = (requests: number) => {
    let sent = 0;
    const fire = () => {
      play.send(key, connected[sent % connected.length]!);
      if (++sent < requests) play.later(BURST_MS / requests, fire);
    };
    fire();
  };
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
