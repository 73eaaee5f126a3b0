// The order of nine fields through validators side by side, valid and with four errors, alone and beside 1 000 other classes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { IsEmail, IsInt, IsString, Length, Min, validate } from 'class-validator';

import { type Judge, VALIDATORS } from './apps/order-validators.js';
import { median } from './measure/statistics.js';
import { VALID_ORDER } from './report/workloads.js';

/** Of the right kinds, so that only rules are broken: four of them. */
const INVALID = {
  ...VALID_ORDER,
  email: 'ada',
  name: '',
  quantity: 0,
  address: { ...VALID_ORDER.address, country: 'GBR' },
};
const BATCHES = 7;
const BATCH_MS = 100;
const WARM_UP_MS = 600;

interface Measured {
  readonly valid: number;
  readonly invalid: number;
}

/** As many classes as a large application has, each used once: class-validator keeps an object for every rule by then. */
async function addClasses(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    class OtherDto {
      name = 'x';
      email = 'x@example.com';
      amount = 1;
    }
    for (const rule of [IsString(), Length(1, 80)]) rule(OtherDto.prototype, 'name');
    IsEmail()(OtherDto.prototype, 'email');
    for (const rule of [IsInt(), Min(1)]) rule(OtherDto.prototype, 'amount');
    await validate(new OtherDto());
  }
}

/** Microseconds of CPU time a call: what else the machine does counts less. */
async function time(judge: Judge, waits: boolean, body: object): Promise<number> {
  const run = async (ms: number): Promise<number> => {
    const started = performance.now();
    const used = process.cpuUsage();
    let calls = 0;
    do {
      if (waits) for (let i = 0; i < 100; i++) await judge(body);
      else for (let i = 0; i < 100; i++) judge(body);
      calls += 100;
    } while (performance.now() - started < ms);
    const { user, system } = process.cpuUsage(used);
    return (user + system) / calls;
  };
  await run(WARM_UP_MS);
  const batches: number[] = [];
  for (let i = 0; i < BATCHES; i++) batches.push(await run(BATCH_MS));
  return median(batches);
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    child: { type: 'string' },
    classes: { type: 'string' },
  },
});

if (values.child !== undefined) {
  await addClasses(Number(values.classes));
  const { judge, waits } = await VALIDATORS[values.child]!();
  const valid = await time(judge, waits, VALID_ORDER);
  const invalid = await time(judge, waits, INVALID);
  process.stdout.write(JSON.stringify({ valid, invalid } satisfies Measured));
  process.exit(0);
}

function measure(name: string, classes: number): Measured {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--child', name, '--classes', String(classes)],
    { encoding: 'utf8', timeout: 120_000 },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measured;
}

const rounds = values.quick ? 1 : 3;
const rows = Object.keys(VALIDATORS).flatMap((name) =>
  [0, 1_000].map((classes) => ({ name, classes, all: [] as Measured[] })),
);
// Rounds, so that a busy moment of the machine hits every contestant.
for (let round = 0; round < rounds; round++) {
  for (const { name, classes, all } of rows) all.push(measure(name, classes));
}

const found = rows.map(({ all, ...row }) => ({
  ...row,
  valid: median(all.map(({ valid }) => valid)),
  invalid: median(all.map(({ invalid }) => invalid)),
}));
const stock = found.find(({ name, classes }) => name === 'ValidationPipe' && classes === 0)!;
const ratio = (value: number, other: number): string =>
  `${value.toFixed(2)} (${(value / other).toFixed(2)} ×)`;

console.log('\n### Validators: CPU µs a call, and of what the stock ValidationPipe takes alone\n');
console.log('| validator | other classes | valid | invalid, 4 errors |');
console.log('| --- | ---: | ---: | ---: |');
for (const { name, classes, valid, invalid } of found) {
  // Nothing refuses in detail there.
  const refusal = name === 'checks alone' ? '–' : ratio(invalid, stock.invalid);
  console.log(`| ${name} | ${classes} | ${ratio(valid, stock.valid)} | ${refusal} |`);
}
