import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { MATRIX_COLUMNS, SWEEP_COLUMNS } from '../../bench/simulate/figures.js';
import { breaksPromise, simulate } from '../../bench/simulate/simulate.js';
import { FULL, QUICK } from '../../bench/simulate/suite.js';
import { ROOT } from '../docs/markdown-blocks.js';

const scenarios = [...QUICK.matrix, ...QUICK.sweep];
const adversarial = QUICK.matrix.filter(({ profile, nodes }) => profile === 'adversarial' && nodes === 10);
const page = readFileSync(join(ROOT, 'docs', 'rate-limit-simulation.md'), 'utf8');

describe('bench/simulate', () => {
  it.each(scenarios.filter(({ mode }) => mode === 'exact' || mode === 'lease'))(
    'R-RL-15 lets no unit too many through: $profile, $nodes nodes, $mode, a window of $windowMs ms',
    { timeout: 120_000 },
    (scenario) => {
      const outcome = simulate(scenario);
      expect(outcome.requests).toBeGreaterThan(100_000);
      expect(outcome.over).toBe(0);
      expect(breaksPromise(outcome)).toBe(false);
      // Units come back up to a sixth of a window late: never fewer than six of seven.
      expect(outcome.worstShare).toBeGreaterThan(0.8);
      expect(outcome.admitted).toBeLessThanOrEqual(outcome.allowed);
    },
  );

  it('R-RL-15 would notice: a fixed window lets twice its limit through', { timeout: 60_000 }, () => {
    const outcome = simulate(adversarial.find(({ mode }) => mode === 'fixed window')!);
    expect(outcome.busiest).toBeGreaterThan(1.9);
    expect(breaksPromise({ ...outcome, scenario: { ...outcome.scenario, mode: 'exact' } })).toBe(true);
  });

  it('plays the same scenario in the same way again', { timeout: 60_000 }, () => {
    const scenario = { ...adversarial.find(({ mode }) => mode === 'lease')!, durationMs: 120_000 };
    expect(simulate(scenario)).toEqual(simulate(scenario));
    expect(simulate({ ...scenario, seed: 7 }).requests).not.toBe(simulate(scenario).requests);
  });

  it('has its figures in the docs: a row for each run, and every plot', () => {
    const rowsUnder = (columns: readonly string[]) => {
      const [, after = ''] = page.split(`| ${columns.join(' | ')} |\n`);
      return after.split('\n\n')[0]!.split('\n').slice(1);
    };
    expect(rowsUnder(MATRIX_COLUMNS)).toHaveLength(FULL.matrix.length);
    expect(rowsUnder(SWEEP_COLUMNS)).toHaveLength(FULL.sweep.length);
    expect(page).toContain('Over-admission of exact and lease: none');
    const images = [...page.matchAll(/\]\((images\/[\w-]+\.svg)\)/g)].map((match) => match[1]!);
    expect(images).toHaveLength(3);
    expect(images.filter((image) => !existsSync(join(ROOT, 'docs', image)))).toEqual([]);
  });
});
