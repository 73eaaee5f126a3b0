import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

// What the packages below ask of Node and of those who import them. Each import runs in a process of its own: the test
// runner's module loader is more lenient than Node's.

const ROOT = join(import.meta.dirname, '../..');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runNode(script: string, ...flags: string[]): Promise<Outcome> {
  const args = [...flags, '--input-type=module', '-e', script];
  return promisify(execFile)(process.execPath, args, { cwd: ROOT }).then(
    (output) => ({ code: 0, ...output }),
    (error: unknown) => error as Outcome,
  );
}

const readManifest = async (path: string): Promise<{ engines?: { node?: string } }> =>
  JSON.parse(await readFile(join(ROOT, path, 'package.json'), 'utf8')) as { engines?: { node?: string } };

describe('PITFALL-NC6 CommonJS that requires ES modules', () => {
  it('bare: without that feature of Node the throttler cannot be loaded', { timeout: 20_000 }, async () => {
    const load = "await import('@nestjs/throttler')";
    expect(await runNode(load, '--no-experimental-require-module')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_REQUIRE_ESM') as string,
    });
    expect(await runNode(load)).toMatchObject({ code: 0 });
  });

  it('ours: only versions of Node that have it are named, and these tests run on one', async () => {
    expect((await readManifest('.')).engines?.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0');
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    expect(major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)).toBe(true);
    expect(process.features).toHaveProperty('require_module', true);
  });
});

/** Every import of a package that stands in lib, types left out. */
async function importsOfLib(): Promise<Map<string, Set<string>>> {
  const files = await readdir(join(ROOT, 'lib'), { recursive: true });
  const imports = new Map<string, Set<string>>();
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const source = await readFile(join(ROOT, 'lib', file), 'utf8');
    for (const [, names = '', from = ''] of source.matchAll(
      /^import (?!type\b)([^;'"]*?) from '([^.'][^']*)';/gms,
    )) {
      const all = imports.get(from) ?? new Set();
      imports.set(from, all);
      for (const name of valuesOf(names)) all.add(name);
    }
  }
  return imports;
}

/** `default` for a default import, and the names in braces that are no types. */
function valuesOf(clause: string): string[] {
  const [, before = '', braces] = /^([^{]*?),?\s*(?:\{(.*)\})?$/s.exec(clause) ?? [];
  const named = (braces ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && !one.startsWith('type '))
    .map((one) => one.split(' as ')[0] ?? one);
  return [...(before.trim() === '' || before.startsWith('*') ? [] : ['default']), ...named];
}

describe('PITFALL-NC7 named imports from CommonJS', () => {
  it.each([
    ['passport', 'authenticate'],
    ['jsonwebtoken', 'verify'],
  ])('bare: %s has none', { timeout: 20_000 }, async (name, member) => {
    const named = await runNode(`import { ${member} } from '${name}'`);
    expect(named.code).toBe(1);
    expect(named.stderr).toContain('SyntaxError');
    const whole = await runNode(
      `import it from '${name}'; if (typeof it.${member} !== 'function') process.exit(2)`,
    );
    expect(whole.code).toBe(0);
  });

  it('ours: every import in lib is one that Node itself can resolve', { timeout: 30_000 }, async () => {
    const imports = await importsOfLib();
    expect(imports.get('passport')).toEqual(new Set(['default']));
    expect([...(imports.get('passport-headerapikey') ?? [])]).toEqual(['HeaderAPIKeyStrategy']);
    const lines = [...imports].map(
      ([from, names], i) =>
        `import { ${[...names].map((name, j) => `${name} as v${String(i)}_${String(j)}`).join(', ')} } from '${from}';`,
    );
    expect(await runNode(["import 'reflect-metadata';", ...lines].join('\n'))).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
});
