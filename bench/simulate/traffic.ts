import { startAdversaries } from './adversaries.js';
import type { Play } from './play.js';
import { Random } from './random.js';
import { TENANT } from './scenario.js';

const TENANT_PER_SECOND = 300;
const OTHERS_PER_SECOND = 500;
const SOURCES = 60;
/** A source of bursts: for so long, so often, over so many connections. */
const BURST = { onMs: 4_000, offMs: 40_000, perSecond: 100, connections: 4 };
const TENANT_BURST = { onMs: 10_000, offMs: 50_000, perSecond: 3_000, connections: 32 };

/** Sets a profile's clients going. */
export function startTraffic(play: Play): void {
  const { profile, keys, nodes, visitAll, durationMs, seed } = play.scenario;
  const random = new Random(seed);
  if (visitAll) visitEach(play, random, durationMs / keys);
  if (profile === 'bursty') {
    startBursts(play, new Random(random.next() * 1e9), TENANT_BURST, () => TENANT);
    for (let source = 0; source < SOURCES; source++) {
      const own = new Random(random.next() * 1e9);
      startBursts(play, own, BURST, () => otherKey(own, keys));
    }
    return;
  }
  const calm = profile === 'adversarial' ? 0.5 : 1;
  play.atRandom(random, TENANT_PER_SECOND, () => play.send(TENANT, random.below(nodes)));
  play.atRandom(random, OTHERS_PER_SECOND * calm, () =>
    play.send(otherKey(random, keys), random.below(nodes)),
  );
  if (profile === 'adversarial') startAdversaries(play, random);
}

/** Any key but the tenant's: few are busy, most are hardly ever seen. */
function otherKey(random: Random, keys: number): number {
  return 1 + random.zipf(keys - 1);
}

function visitEach(play: Play, random: Random, everyMs: number): void {
  const { keys, nodes } = play.scenario;
  let key = 0;
  const fire = () => {
    play.send(key, random.below(nodes));
    if (++key < keys) play.later(everyMs, fire);
  };
  play.later(everyMs / 2, fire);
}

/** Silent, then many requests of one key over a few connections, each to one node. */
function startBursts(play: Play, random: Random, burst: typeof BURST, keyOf: () => number): void {
  let key = 0;
  let endsAt = 0;
  let connected: number[] = [];
  // Of its own, so that bursts are the same however many nodes there are.
  const places = new Random(random.next() * 1e9);
  const fire = () => {
    if (play.now >= endsAt) play.later(random.exponential(burst.offMs), begin);
    else {
      play.send(key, connected[places.below(connected.length)]!);
      play.later(random.exponential(1_000 / burst.perSecond), fire);
    }
  };
  const begin = () => {
    key = keyOf();
    endsAt = play.now + random.exponential(burst.onMs);
    connected = places.some(burst.connections, play.scenario.nodes);
    fire();
  };
  play.later(random.exponential(burst.offMs), begin);
}
