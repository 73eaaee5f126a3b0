import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { AdapterName } from './apps/contestant.js';
import type { BootReport, BootSetup } from './measure/boot-messages.js';
import { PinnedChild } from './measure/child.js';
import { median } from './measure/statistics.js';
import { table } from './report/markdown.js';

const ROUTES = 500;
const AT_MOST_MS = 200;
const ADAPTERS: readonly AdapterName[] = ['express', 'fastify'];

async function bootOnce(setup: BootSetup): Promise<BootReport> {
  const child = new PinnedChild<never, BootReport>(new URL('./apps/boot-server.js', import.meta.url), 0, [
    JSON.stringify(setup),
  ]);
  const report = await child.next();
  child.stop();
  return report;
}

/** Boot time of an application with 500 routes, bare and with this module, in alternating child processes. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '7' }, json: { type: 'string' } },
  });
  const isBuilt = existsSync(new URL('../dist/index.js', import.meta.url));
  const contestants = isBuilt ? (['bare', 'module'] as const) : (['bare'] as const);
  const results = [];
  for (const adapter of ADAPTERS) {
    const boots: Record<'bare' | 'module', BootReport[]> = { bare: [], module: [] };
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const contestant of contestants) {
        boots[contestant].push(await bootOnce({ adapter, contestant, routes: ROUTES, perController: 10 }));
      }
    }
    results.push({ adapter, ...boots });
    console.log(bootTable(adapter, boots));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

function bootTable(adapter: AdapterName, boots: Readonly<Record<'bare' | 'module', BootReport[]>>): string {
  const total = (of: 'bare' | 'module'): number => median(boots[of].map((boot) => boot.sinceProcessStartMs));
  const nest = (of: 'bare' | 'module'): number => median(boots[of].map((boot) => boot.nestMs));
  const rows = (['bare', 'module'] as const)
    .filter((of) => boots[of].length > 0)
    .map((of) => [of, total(of).toFixed(0), nest(of).toFixed(0)]);
  const more = total('module') - total('bare');
  const verdict = Number.isNaN(more)
    ? []
    : [
        `- ${more.toFixed(0)} ms more; at most ${String(AT_MOST_MS)}: **${more <= AT_MOST_MS ? 'met' : 'missed'}**`,
        '',
      ];
  return [
    `### Boot with ${String(ROUTES)} routes — ${adapter}`,
    '',
    ...table(['contestant', 'process start to listening, ms', 'of which Nest, ms'], rows),
    '',
    ...verdict,
  ].join('\n');
}

await main();
