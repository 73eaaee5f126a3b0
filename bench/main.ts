import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { AdapterName } from './apps/contestant.js';
import { generateKeys } from './measure/keys.js';
import { runWorkload, type Effort } from './measure/workload-run.js';
import { resultTable, type WorkloadResult } from './report/markdown.js';
import { WORKLOADS } from './report/workloads.js';

const USAGE = `Usage: npm run bench -- [options]
  --quick             shorter rounds, for a first look
  --only ID,…         of: ${WORKLOADS.map(({ id }) => id).join(', ')}
  --contestants NAME,…  only these (bare is always there)
  --adapter NAME      express or fastify; both by default
  --rounds N          rounds whose median counts (5; quick 3)
  --json FILE         all figures of all rounds`;

const ADAPTERS: readonly AdapterName[] = ['express', 'fastify'];

/** `npm run bench`: everything side by side in one run, as Markdown on standard output. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contestants: { type: 'string' },
      adapter: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);

  const effort = effortOf(values.quick, values.rounds);
  const only = values.only?.split(',');
  const wanted = values.contestants?.split(',');
  const adapters = ADAPTERS.filter((adapter) => values.adapter === undefined || adapter === values.adapter);
  const keys = { RS256: generateKeys('RS256'), ES256: generateKeys('ES256'), HS256: generateKeys('HS256') };
  const results: WorkloadResult[] = [];

  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${String(cpus().length)} cores, Node ${process.version}, ` +
      `${String(effort.rounds)} rounds, ${String(effort.connections)} connections; medians\n`,
  );
  for (const workload of WORKLOADS) {
    if (only && !only.includes(workload.id)) continue;
    const contestants = workload.contestants.filter(
      (name) => name === 'bare' || (wanted?.includes(name) ?? true),
    );
    for (const adapter of adapters) {
      const result = await runWorkload({ ...workload, contestants }, adapter, keys, effort);
      results.push(result);
      console.log(resultTable(result, workload));
    }
  }
  if (values.json !== undefined) {
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
    writeFileSync(
      values.json,
      `${JSON.stringify({ at: new Date().toISOString(), machine, effort, results }, null, 2)}\n`,
    );
  }
  if (!only) runLimiterBenchmark(values.quick);
}

function effortOf(quick: boolean, rounds: string | undefined): Effort {
  const count = rounds === undefined ? (quick ? 3 : 5) : Number(rounds);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error('--rounds takes a whole number from 1 on');
  return quick
    ? { rounds: count, connections: 50, warmUpMs: 1500, roundMs: 600, freshTokens: 1500 }
    : { rounds: count, connections: 50, warmUpMs: 3000, roundMs: 1500, freshTokens: 4000 };
}

/** The limiter against other storages has a benchmark of its own, which needs a Redis server for some of its lines. */
function runLimiterBenchmark(quick: boolean): void {
  const script = fileURLToPath(new URL('../bench/limiter-storages.mjs', import.meta.url));
  if (!existsSync(script)) return;
  spawnSync(process.execPath, [script, ...(quick ? ['--quick'] : [])], { stdio: 'inherit' });
}

await main();
