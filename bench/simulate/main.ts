// One hour of traffic on a virtual clock: what exact, lease and local modes let through, against an exact sliding log over all nodes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { measureCounters } from './counter-bytes.js';
import { figures } from './figures.js';
import { plotAdmitted, plotTraces, plotTrips } from './plots.js';
import type { Scenario } from './scenario.js';
import { breaksPromise, type Outcome, simulate } from './simulate.js';
import { FULL, QUICK } from './suite.js';

const DOCS = new URL('../../docs/', import.meta.url);
const PAGE = new URL('rate-limit-simulation.md', DOCS);
const PLACE = /(?<=<!-- figures -->\n)[\s\S]*(?=<!-- end of figures -->)/;
const TRACED_NODES = 100;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`--quick  some minutes of traffic in place of an hour
--write  puts the figures into docs/rate-limit-simulation.md and the plots into docs/images`);
  process.exit(0);
}

if (values.quick && values.write) {
  console.error('the docs hold figures of the whole hour: --write goes without --quick');
  process.exit(2);
}

const suite = values.quick ? QUICK : FULL;
const bytes = measureCounters();
const matrix = suite.matrix.map(play);
const sweep = suite.sweep.map(play);
const report = figures(matrix, sweep, bytes);
console.log(`\n### Rate limits, simulated\n\n${report}`);
const peak = (process.resourceUsage().maxRSS / 1e6).toFixed(1);
console.error(`\nplayed in ${(performance.now() / 1_000).toFixed(0)} s, at most ${peak} GB`);
if (values.write) write();
if ([...matrix, ...sweep].some(breaksPromise)) process.exitCode = 1;

function play(scenario: Scenario): Outcome {
  const started = performance.now();
  const outcome = simulate(scenario);
  const { profile, nodes, keys, mode } = scenario;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.error(`${profile}, ${nodes} nodes, ${keys} keys, ${mode}: ${seconds} s`);
  return outcome;
}

function write(): void {
  const images = new URL('images/', DOCS);
  mkdirSync(images, { recursive: true });
  const traced = matrix.filter(({ scenario }) => scenario.nodes === TRACED_NODES);
  writeFileSync(new URL('rate-limit-edge-burst.svg', images), plotTraces(traced));
  writeFileSync(new URL('rate-limit-round-trips.svg', images), plotTrips(matrix));
  writeFileSync(new URL('rate-limit-admitted.svg', images), plotAdmitted(matrix));
  const page = readFileSync(PAGE, 'utf8');
  if (!PLACE.test(page)) throw new Error(`${PAGE.pathname} has no place for figures`);
  writeFileSync(
    PAGE,
    page.replace(PLACE, () => `\n${report}\n\n`),
  );
}
