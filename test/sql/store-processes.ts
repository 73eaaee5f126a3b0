import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { transpiled } from '../support/transpiled.js';

const SOURCES = ['lib', 'test/sql/store-child.ts'];
const run = promisify(execFile);

/** What one process saw. */
export interface ProcessOutcome {
  readonly migrated: readonly string[];
  readonly first: boolean;
  readonly rotated: boolean;
}

/** Runs `store-child.ts` in that many processes at once. */
export async function runProcesses(count: number, ...args: readonly string[]): Promise<ProcessOutcome[]> {
  const { folder, remove } = transpiled(...SOURCES);
  try {
    const child = join(folder, 'test/sql/store-child.js');
    const outputs = await Promise.all(
      Array.from({ length: count }, () => run(process.execPath, [child, ...args], { cwd: folder })),
    );
    return outputs.map(({ stdout }) => JSON.parse(stdout) as ProcessOutcome);
  } finally {
    remove();
  }
}
