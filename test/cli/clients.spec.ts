import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../../lib/cli/run-cli.js';
import { startRedis } from '../support/servers/redis.js';

const folder = mkdtempSync(join(tmpdir(), 'cli-clients-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STORES: readonly [string, () => Promise<{ url: string; close: () => Promise<void> }>][] = [
  ['SQLite', () => Promise.resolve({ url: `file:${join(folder, 'x.db')}`, close: () => Promise.resolve() })],
  ['Redis', () => startRedis()],
];

describe.each(STORES)('clients from the shell, in %s', (_, open) => {
  let store: { url: string; close: () => Promise<void> };
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store?.close());

  const clients = async (...line: string[]) => {
    let [out, err] = ['', ''];
    const code = await runCli(['clients', ...line], {
      environment: { DATABASE_URL: store.url },
      out: (text) => (out += text),
      err: (text) => (err += text),
    });
    return { code, out, err };
  };
  const json = async (...line: string[]) =>
    JSON.parse((await clients(...line, '--json')).out) as Record<string, unknown>;

  it('R-AS-09 live from registration to removal, and each secret is shown once', async () => {
    const uri = 'https://app.example/callback';
    const made = await json(
      'register',
      '--name',
      'Printer',
      '--redirect-uri',
      uri,
      '--scope',
      'a',
      '--verified',
    );
    expect(made).toMatchObject({
      name: 'Printer',
      authentication: 'secret',
      verified: true,
      grantTypes: ['authorization_code', 'refresh_token'],
    });
    const [id, secret] = [made['clientId'] as string, made['clientSecret'] as string];
    expect(secret).toMatch(/^[\w-]{43}$/);
    const listed = await clients('list');
    expect(listed.out).toContain(id);
    expect(listed.out).not.toContain(secret);
    expect(await json('get', id)).not.toHaveProperty('clientSecret');
    const rotated = await clients('rotate-secret', id);
    expect(rotated.out).toContain('This is the only time that the secret is shown.');
    expect(rotated.out).not.toContain(secret);
    const moved = ['--redirect-uri', 'https://new.example/callback', '--unverified'];
    expect(await json('update', id, ...moved)).toMatchObject({
      clientId: id,
      name: 'Printer',
      redirectUris: ['https://new.example/callback'],
      scopes: ['a'],
      verified: false,
    });
    for (const wrong of [
      [],
      ['--redirect-uri', 'http://evil.example/'],
      ['--id', 'client_x'],
      ['--verified', '--unverified'],
    ])
      expect([wrong, (await clients('update', id, ...wrong)).code]).toEqual([wrong, 2]);
    expect((await clients('remove', id)).out).toBe(`${id} is removed\n`);
    for (const command of [['get'], ['remove'], ['rotate-secret'], ['update', '--name', 'x']])
      expect(await clients(...command, id)).toMatchObject({
        code: 3,
        err: expect.stringContaining('no such client') as string,
      });
    const again = await clients('register', '--name', 'Another', '--id', id);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('or was, a client')]);
  });

  it('R-AS-03 R-AS-09 R-AS-16 what is wrong is told, and nothing is registered', async () => {
    const before = (await json('list'))['clients'];
    const refused: string[][] = [
      [],
      ['--name', ''],
      ['--name', 'x', '--redirect-uri', 'http://evil.example/'],
      ['--name', 'x', '--redirect-uri', 'https://*.example/'],
      ['--name', 'x', '--redirect-uri', 'javascript:alert(1)'],
      ['--name', 'x', '--redirect-uri', 'https://a.example/#x'],
      ['--name', 'x', '--id', 'ada'],
      ['--name', 'x', '--grant-type', 'password'],
      ['--name', 'x', '--authentication', 'none'],
      ['--name', 'x', '--authentication', 'private-key'],
      ['--name', 'x', '--jwks-file', '/nowhere'],
      ['--name', 'x', '--scope', 'two words'],
      ['--name', 'x', '--resource-server', 'http://api.example'],
      ['--name', 'x', '--origin', 'https://a.example/path'],
    ];
    for (const line of refused) expect([line, (await clients('register', ...line)).code]).toEqual([line, 2]);
    expect((await json('list'))['clients']).toEqual(before);
  });

  it('R-AS-09 a client with keys of its own has no secret', async () => {
    const file = join(folder, 'keys.json');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(file, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
    const line = ['register', '--name', 'Robot', '--authentication', 'private-key', '--jwks-file', file];
    const made = await json(...line, '--id', 'client_robot');
    expect(made).toMatchObject({ clientId: 'client_robot', grantTypes: ['client_credentials'] });
    expect(made).not.toHaveProperty('clientSecret');
    expect((await clients(...line, '--id', 'client_robot')).code).toBe(1);
    expect(await clients('rotate-secret', 'client_robot')).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no secret') as string,
    });
  });
});
