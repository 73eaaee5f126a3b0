import { describe, expect, it } from 'vitest';

import { Turns } from '../../lib/api-keys/turns.js';

describe('turns', () => {
  it('R-AK-08 run one after the other by name, whatever becomes of them, and side by side otherwise', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const results = await Promise.allSettled([
      turns.take('a', task('a1', true)),
      turns.take('a', task('a2')),
      turns.take('b', task('b1')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    const own = log.filter((line) => line.startsWith('a'));
    expect(own).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends']);
    expect(log.indexOf('b1 begins')).toBeLessThan(log.indexOf('a1 ends'));
    expect(await turns.take('a', task('a3'))).toBe('a3');
  });
});
