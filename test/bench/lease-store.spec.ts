import { createMeter, MemoryRateLimitStorage } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { LeaseStore } from '../../bench/simulate/lease-store.js';
import { Random } from '../../bench/simulate/random.js';
import { LEASE_MS, type Scenario } from '../../bench/simulate/scenario.js';

const KEY = 1;

function scenarioOf(windowMs: number, limit: number, nodes: number): Scenario {
  return {
    profile: 'steady',
    mode: 'lease',
    nodes,
    keys: 2,
    visitAll: false,
    windowMs,
    limit,
    durationMs: 1,
    seed: 1,
  };
}

describe('the store of the simulated leases', () => {
  it.each([
    { windowMs: 60_000, limit: 50 },
    { windowMs: 1_000, limit: 7 },
    { windowMs: 86_400_001, limit: 1_000_000 },
  ])('R-RL-10 decides like the module for single units: $limit in $windowMs ms', ({ windowMs, limit }) => {
    let now = 0;
    const storage = new MemoryRateLimitStorage({ clock: { now: () => now, monotonic: () => now } });
    const meter = createMeter({ bucket: 'b', limit, windowMs });
    const store = new LeaseStore(scenarioOf(windowMs, limit, 1));
    const random = new Random(42);
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      now += random.exponential(windowMs / Math.min(limit, 2_000) / 2);
      const { allowed, states } = storage.consume([{ meter, subject: 's', cost: 1 }]);
      const grant = store.take(KEY, now, 1, 0, 0);
      expect([i, grant.granted === 1]).toEqual([i, allowed]);
      if (allowed) continue;
      refused++;
      expect([i, grant.resetMs]).toEqual([i, states[0]!.resetMs]);
    }
    storage.close();
    if (limit < 1_000) expect(refused).toBeGreaterThan(1_000);
  });

  it('R-RL-15 counts a lease for a whole window from its end on, and takes back what was not used', () => {
    const store = new LeaseStore(scenarioOf(60_000, 100, 2));
    const lease = store.take(KEY, 3_000, 1, 1_000, LEASE_MS);
    expect(lease).toEqual({ granted: 25, leaseMs: 1_000, endsAt: 4_000, resetMs: 0 });
    for (let unit = 0; unit < 75; unit++) expect(store.take(KEY, 3_500, 1, 0, 0).granted).toBe(1);
    expect(store.take(KEY, 63_999, 1, 0, 0)).toMatchObject({ granted: 0, resetMs: 1 });
    store.giveBack(KEY, lease.endsAt, 5);
    for (let unit = 0; unit < 5; unit++) expect(store.take(KEY, 63_999, 1, 0, 0).granted).toBe(1);
    expect(store.take(KEY, 63_999, 1, 0, 0).granted).toBe(0);
    expect(store.take(KEY, 64_000, 1, 0, 0).granted).toBe(1);
  });

  it('R-RL-15 ends a lease with its turn, and leases nothing when little is left for so many nodes', () => {
    const store = new LeaseStore(scenarioOf(60_000, 100, 2));
    expect(store.take(KEY, 9_700.5, 1, 1_000, LEASE_MS)).toMatchObject({
      granted: 25,
      leaseMs: 298,
      endsAt: 9_999,
    });
    const crowded = new LeaseStore(scenarioOf(60_000, 100, 50));
    expect(crowded.take(KEY, 3_000, 1, 1_000, LEASE_MS)).toMatchObject({ granted: 1 });
    expect(crowded.take(KEY, 3_500, 3, 1_000, LEASE_MS)).toMatchObject({ granted: 3 });
  });
});
