import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/**
 * Compiles the benchmarks into `dist-bench/` and runs one of them. Types are checked by `npm run typecheck`, not here.
 *
 * @param {string} script
 */
export function runCompiled(script) {
  const compiler = fileURLToPath(new URL('node_modules/typescript-7/bin/tsc', root));
  const project = fileURLToPath(new URL('bench/tsconfig.json', root));
  const compiled = fileURLToPath(new URL(`dist-bench/${script}`, root));
  for (const args of [
    [compiler, '-p', project],
    [compiled, ...process.argv.slice(2)],
  ]) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
}
