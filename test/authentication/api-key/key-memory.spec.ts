import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { generateKey, parseKey } from '../../../lib/authentication/api-key/key-format.js';
import { workshop } from './key-workshop.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use after everything was let go of that can be. */
function bytesInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A string of its own, as a header value is. */
const received = (key: string): string => Buffer.from(key).toString('latin1');

describe('memory', () => {
  it('R-AK-13 the id of a key, which events and caches keep, keeps nothing else of the key', () => {
    const count = 50_000;
    const ids: string[] = Array.from({ length: count }, () => '');
    const before = bytesInUse();
    for (let i = 0; i < count; i++) ids[i] = parseKey(received(generateKey('sk', 'live').key))!.id;
    // 32 for the id; as a mere slice it would hold on to the 90 of the key as well.
    expect((bytesInUse() - before) / count).toBeLessThan(64);
    expect(ids[0]).toHaveLength(16);
  });

  it('R-AK-13 grows by less than 20 MiB with 100 000 made-up keys', { timeout: 60_000 }, async () => {
    const { outcome, verifier } = workshop();
    const before = bytesInUse();
    for (let i = 0; i < 100_000; i++) await outcome(received(generateKey('sk', 'live').key));
    expect(bytesInUse() - before).toBeLessThan(20 * 1_048_576);
    expect(verifier.remembered).toEqual({ accepted: 0, refused: 10_000 });
  });
});
