import {
  createMeter,
  type LimitAlgorithm,
  type LimitMeter,
  MemoryRateLimitStorage,
} from 'nestjs-api-security';

import { NodeClock } from './node-clock.js';
import type { Limiter, Play, Request } from './play.js';
import { Random } from './random.js';
import { limitOf, type Scenario, TENANT } from './scenario.js';

const MAX_KEYS = 10_000_000;

/** The module's own counters behind a network: asked for every request, and by the store's clock alone. */
export class SharedLimiter implements Limiter {
  readonly #storage: MemoryRateLimitStorage;
  readonly #meterOf: (key: number) => LimitMeter;

  constructor(
    private readonly play: Play,
    algorithm: LimitAlgorithm,
  ) {
    const { scenario } = play;
    this.#storage = openStorage(scenario.keys, () => play.now);
    this.#meterOf = meters(scenario, algorithm, (limit) => limit);
  }

  take(request: Request): void {
    this.play.later(this.play.ask(request.key), () =>
      charge(this.play, this.#storage, this.#meterOf(request.key), request),
    );
  }

  inStore(): number {
    return this.#storage.size;
  }

  onNode(): number {
    return 0;
  }

  close(): void {
    this.#storage.close();
  }
}

/** The module's own counters on each node, with the node's share of a limit, at least 1, and by the node's clock. */
export class LocalLimiter implements Limiter {
  readonly #storages: readonly MemoryRateLimitStorage[];
  readonly #meterOf: (key: number) => LimitMeter;

  constructor(private readonly play: Play) {
    const { nodes, keys, seed } = play.scenario;
    const random = new Random(seed + 3);
    this.#meterOf = meters(play.scenario, 'sliding-window', (limit) =>
      Math.max(1, Math.floor(limit / nodes)),
    );
    this.#storages = Array.from({ length: nodes }, () => {
      const clock = new NodeClock(random);
      return openStorage((4 * keys) / nodes, () => clock.read(play.now));
    });
  }

  take(request: Request): void {
    charge(this.play, this.#storages[request.node]!, this.#meterOf(request.key), request);
  }

  inStore(): number {
    return 0;
  }

  onNode(): number {
    return Math.max(...this.#storages.map(({ size }) => size));
  }

  close(): void {
    for (const storage of this.#storages) storage.close();
  }
}

/** The two limits of a run: the tenant's and that of all others. */
function meters(
  scenario: Scenario,
  algorithm: LimitAlgorithm,
  share: (limit: number) => number,
): (key: number) => LimitMeter {
  const [large, small] = [TENANT, TENANT + 1].map((key) =>
    createMeter({
      bucket: 'simulated',
      algorithm,
      limit: share(limitOf(key, scenario)),
      windowMs: scenario.windowMs,
    }),
  );
  return (key) => (key === TENANT ? large! : small!);
}

function openStorage(mostKeys: number, now: () => number): MemoryRateLimitStorage {
  const maxKeys = Math.min(MAX_KEYS, Math.max(100_000, Math.ceil(mostKeys)));
  return new MemoryRateLimitStorage({ maxKeys, clock: { now, monotonic: now } });
}

function charge(play: Play, storage: MemoryRateLimitStorage, meter: LimitMeter, request: Request): void {
  const { allowed, states } = storage.consume([{ meter, subject: `k:${request.key}`, cost: 1 }]);
  play.settle(request, allowed, states[0]!.resetMs);
}
