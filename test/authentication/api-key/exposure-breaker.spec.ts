import { describe, expect, it } from 'vitest';

import { ExposureBreaker } from '../../../lib/authentication/api-key/exposure-breaker.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';

const MINUTE = 60_000;

function breaker() {
  const clock = new FakeClock();
  let opened = 0;
  const one = new ExposureBreaker(clock, () => opened++);
  return { clock, allows: (id: string) => one.allows(id), opened: () => opened };
}

describe('the breaker before revocations', () => {
  it('R-TL-11 lets five different keys in ten minutes be revoked, and no sixth', () => {
    const { allows, opened } = breaker();
    expect(['a', 'b', 'c', 'd', 'e', 'a', 'e'].map(allows)).toEqual(Array.from({ length: 7 }, () => true));
    expect(opened()).toBe(0);
    expect(['f', 'g', 'a'].map(allows)).toEqual([false, false, false]);
    expect(opened()).toBe(1);
  });

  it('R-TL-11 stays open as long as keys go on being exposed, and closes ten quiet minutes later', () => {
    const { clock, allows, opened } = breaker();
    ['a', 'b', 'c', 'd', 'e', 'f'].forEach(allows);
    for (let i = 0; i < 10; i++) {
      clock.advance(9 * MINUTE);
      expect(allows(`later-${i}`)).toBe(false);
    }
    clock.advance(10 * MINUTE - 1);
    expect(allows('x')).toBe(false);
    clock.advance(10 * MINUTE);
    expect(allows('y')).toBe(true);
    expect(opened()).toBe(1);
  });

  it('R-TL-11 keys that come one by one over hours do not open it', () => {
    const { clock, allows, opened } = breaker();
    for (let i = 0; i < 100; i++) {
      expect(allows(`key-${i}`)).toBe(true);
      clock.advance(2 * MINUTE + 1);
    }
    expect(opened()).toBe(0);
  });

  it('R-RL-16 R-TL-11 is not moved by the wall clock', () => {
    const { clock, allows } = breaker();
    ['a', 'b', 'c', 'd', 'e'].forEach(allows);
    clock.stepWall(24 * 60 * MINUTE);
    expect(allows('f')).toBe(false);
  });
});
