import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the command itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cli-main-'));
  const main = join(folder, 'dist', 'cli', 'main.js');
  beforeAll(() => {
    for (const name of ['lib', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const compiler = join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc');
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
      cwd: folder,
      stdio: 'inherit',
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(...line: string[]): Promise<{ code: number | null; out: string }> {
    const environment = { PATH: process.env['PATH'] ?? '', DATABASE_URL: `file:${join(folder, 'keys.db')}` };
    const child = spawn(process.execPath, [main, ...line], { env: environment });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
  }

  it('is what package.json says it is, and can be run', () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    expect(bin).toEqual({ 'nestjs-api-security': './dist/cli/main.js' });
    expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('R-AK-11 rotates a key once, whatever two processes want at the same time', async () => {
    const { code, out } = await run('keys', 'issue', '--owner', 'ada', '--name', 'CI', '--json');
    expect(code).toBe(0);
    const { id } = JSON.parse(out) as { id: string };
    const runs = await Promise.all([run('keys', 'rotate', id), run('keys', 'rotate', id)]);
    expect(new Set(runs.map((one) => one.code))).toEqual(new Set([0, 1]));
    expect(runs.filter((one) => one.out.includes('sk_live_'))).toHaveLength(1);
  }, 20_000);
});
