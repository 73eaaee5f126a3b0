import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = [
  'lib/sql',
  'lib/authentication/api-key',
  'lib/authentication/jwt',
  'lib/authentication/sha256.ts',
  'lib/configuration',
  'test/sql/store-child.ts',
];
const run = promisify(execFile);

/** What one process saw. */
export interface ProcessOutcome {
  readonly migrated: readonly string[];
  readonly first: boolean;
  readonly rotated: boolean;
}

/** Runs `store-child.ts` in that many processes at once. */
export async function runProcesses(count: number, ...args: readonly string[]): Promise<ProcessOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'store-processes-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const source of SOURCES) transpile(source, folder);
    const child = join(folder, 'test/sql/store-child.js');
    const outputs = await Promise.all(
      Array.from({ length: count }, () => run(process.execPath, [child, ...args], { cwd: folder })),
    );
    return outputs.map(({ stdout }) => JSON.parse(stdout) as ProcessOutcome);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without looking at types, which is done elsewhere, and takes long. */
function transpile(source: string, folder: string): void {
  const paths = source.endsWith('.ts')
    ? [source]
    : readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => join(source, path));
  for (const path of paths) {
    const target = join(folder, path.replace(/\.ts$/, '.js'));
    const compilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
    };
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), { compilerOptions });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}
