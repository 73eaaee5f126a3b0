import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../../lib/cli/run-cli.js';
import { startPostgres } from '../support/servers/postgres.js';
import { startRedis } from '../support/servers/redis.js';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line, as the command does. */
async function run(line: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
  let out = '';
  let err = '';
  const code = await runCli(line, {
    environment,
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

const document = ({ out }: Run) => JSON.parse(out) as Record<string, unknown>;
const KEY = /sk_live_[A-Za-z0-9]{16}_[A-Za-z0-9]{49}/g;

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const freshFile = () => `file:${join(folder, `${++files}.db`)}`;

const STORES: readonly [string, () => Promise<{ url: string; close: () => Promise<void> }>][] = [
  ['SQLite', () => Promise.resolve({ url: freshFile(), close: () => Promise.resolve() })],
  ['PostgreSQL', () => startPostgres()],
  ['Redis', () => startRedis()],
];

describe.each(STORES)('keys from the shell, in %s', (_, open) => {
  let store: { url: string; close: () => Promise<void> };
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store?.close());
  const keys = (...line: string[]) => run(['keys', ...line], { API_KEYS_URL: store.url });
  const issue = async (...line: string[]) => {
    const issued = document(await keys('issue', '--owner', 'ada', '--name', 'CI', '--json', ...line));
    return issued as { id: string; key: string } & Record<string, unknown>;
  };

  it('R-AK-05 R-AK-11 live from issue to purge, and each secret is shown once', async () => {
    const first = await issue('--scope', 'a', '--scope', 'b', '--expires-in', '1h', '--limit', '5/minute');
    expect(first).toMatchObject({ owner: 'ada', scopes: ['a', 'b'], limits: [{ limit: 5, window: 60_000 }] });
    const other = await issue();
    const listed = document(await keys('list', '--owner', 'ada', '--json'))['keys'] as { id: string }[];
    expect(listed.map(({ id }) => id)).toContain(first.id);
    const changed = await keys('update', first.id, '--name', 'new', '--no-expiry', '--no-limits', '--json');
    expect(document(changed)).toMatchObject({ id: first.id, name: 'new' });
    for (const gone of ['expiresAt', 'limits']) expect(document(changed)).not.toHaveProperty(gone);
    const rotated = await keys('rotate', first.id, '--overlap', '1h');
    expect(rotated.out.match(KEY)).toHaveLength(1);
    const again = await keys('rotate', first.id);
    expect(again.code).toBe(1);
    expect(again.err).toContain('rotated already');
    expect(await keys('usage', first.id, '--days', '7', '--json')).toMatchObject({ code: 0 });
    const proof = createHash('sha256').update(other.key).digest('hex');
    const reported = await keys('report', other.id, '--sha256', proof, '--revoke', '--json');
    expect(document(reported)).toMatchObject({ id: other.id, exposure: 'reported' });
    expect(document(await keys('revoke', other.id, '--json'))).toEqual({ id: other.id, revoked: false });
    expect(document(await keys('revoke-all', '--owner', 'ada', '--json'))).toEqual({ revoked: 2 });
    expect(document(await keys('purge', '--ended-before', '1d', '--json'))).toEqual({ removed: 0 });
    for (const shown of [
      changed,
      reported,
      await keys('get', first.id),
      await keys('list', '--owner', 'ada'),
    ])
      expect(shown.out).not.toMatch(KEY);
  });

  it('R-AK-11 of two rotations at the same time one wins, and the other is told', async () => {
    const { id } = await issue();
    const runs = await Promise.all([keys('rotate', id), keys('rotate', id)]);
    expect(new Set(runs.map(({ code }) => code))).toEqual(new Set([0, 1]));
    expect(runs.find(({ code }) => code === 1)).toMatchObject({
      out: '',
      err: 'nestjs-api-security: The key has been rotated already\n',
    });
  });
});

describe('a command line', () => {
  it.each([
    [['keys', 'frob']],
    [['keys', 'issue', '--frob']],
    [['keys', 'get']],
    [['keys', 'get', 'a', 'b']],
    [['keys', 'list']],
    [['keys', 'issue', '--owner', 'a', '--name', 'b', '--plan', 'p', '--limit', '1/minute']],
    [['keys', 'issue', '--owner', 'a', '--name', 'b', '--expires-in', 'soon']],
    [['keys', 'issue', '--owner', 'a', '--name', 'b', '--expires-at', 'tomorrow']],
    [['keys', 'issue', '--owner', 'a', '--name', 'b', '--metadata', 'x']],
    [['keys', 'issue', '--owner', 'a', '--name', 'b', '--environment', 'staging']],
    [['keys', 'update', 'abc']],
    [['keys', 'purge', '--ended-before', '1h']],
    [['keys', 'list', '--owner', 'a', '--store', 'oracle://x']],
    [['schema', 'migrate', '--store', 'redis://127.0.0.1:1']],
  ])('R-CF-01 %j is refused with what is wrong, and nothing on standard output', async (line) => {
    const { code, out, err } = await run(line, { API_KEYS_URL: freshFile() });
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });

  it('R-CF-01 tells every problem of a key at once, and stores nothing', async () => {
    const API_KEYS_URL = freshFile();
    const bad = ['--name', '', '--scope', 'a b', '--address', '1.2.3.4/77', '--expires-at', '2020-01-01'];
    const { code, err } = await run(['keys', 'issue', '--owner', 'ada', ...bad], { API_KEYS_URL });
    expect(code).toBe(2);
    for (const field of ['name', 'scopes', 'allowedAddresses', 'expiresAt']) expect(err).toContain(field);
    expect(err.trim()).not.toContain('\n');
    const list = await run(['keys', 'list', '--owner', 'ada', '--json'], { API_KEYS_URL });
    expect(document(list)).toEqual({ keys: [] });
  });

  it('R-AK-19 tells in one line that a store is down, without its password', async () => {
    for (const url of ['postgres://u:s3cret@127.0.0.1:1/x', 'redis://:s3cret@127.0.0.1:1']) {
      const { code, out, err } = await run(['keys', 'get', 'AAAAAAAAAAAAAAAA'], { DATABASE_URL: url });
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^nestjs-api-security: API keys are not available right now: .+\n$/);
      expect(err).not.toContain('s3cret');
    }
  });

  it('knows no key of that id', async () => {
    const environment = { API_KEYS_URL: freshFile() };
    for (const name of ['get', 'usage', 'rotate', 'revoke']) {
      expect(await run(['keys', name, 'AAAAAAAAAAAAAAAA'], environment)).toMatchObject({
        code: 3,
        out: '',
        err: 'nestjs-api-security: there is no such key\n',
      });
    }
  });

  it('asks for a store, and takes the first that it is told', async () => {
    const without = await run(['keys', 'list', '--owner', 'a']);
    expect(without.code).toBe(2);
    expect(without.err).toContain('--store URL');
    const environment = {
      API_KEYS_URL: 'oracle://x',
      DATABASE_URL: freshFile(),
      REDIS_URL: 'redis://127.0.0.1:1',
    };
    expect((await run(['keys', 'list', '--owner', 'a'], environment)).code).toBe(2);
    expect((await run(['keys', 'list', '--owner', 'a', '--store', freshFile()], environment)).code).toBe(0);
  });

  it('helps', async () => {
    expect((await run([])).out).toContain('keys rotate');
    const help = await run(['keys', 'issue', '--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('--scope');
  });

  it('R-AK-04 takes peppers from the environment alone', async () => {
    const API_KEYS_URL = freshFile();
    const pepper = 'a pepper of much more than 32 characters';
    const issued = await run(['keys', 'issue', '--owner', 'a', '--name', 'b', '--json'], {
      API_KEYS_URL,
      API_KEY_PEPPER: pepper,
    });
    const { id, key } = document(issued) as { id: string; key: string };
    const report = ['keys', 'report', id, '--sha256', createHash('sha256').update(key).digest('hex')];
    expect((await run(report, { API_KEYS_URL })).code).toBe(3);
    expect(
      (await run(report, { API_KEYS_URL, API_KEY_PEPPER: `another one of 32 characters or more\n${pepper}` }))
        .code,
    ).toBe(0);
    expect((await run(report, { API_KEYS_URL, API_KEY_PEPPER: 'short' })).code).toBe(2);
  });

  it('R-LG-03 lets no name steer the terminal', async () => {
    const API_KEYS_URL = freshFile();
    const name = 'red \u001b[31m \u202e';
    await run(['keys', 'issue', '--owner', 'a', '--name', name], { API_KEYS_URL });
    const { out } = await run(['keys', 'list', '--owner', 'a'], { API_KEYS_URL });
    expect(out).toContain('red ?[31m ?');
  });

  it('migrates a schema twice without harm', async () => {
    const environment = { DATABASE_URL: freshFile() };
    const first = document(await run(['schema', 'migrate', '--json'], environment));
    expect(first['applied']).not.toEqual([]);
    expect(document(await run(['schema', 'migrate', '--json'], environment))).toEqual({ applied: [] });
  });
});
