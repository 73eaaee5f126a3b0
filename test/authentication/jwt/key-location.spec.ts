import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { metadataUrls } from '../../../lib/outbound/issuer-metadata.js';
import type { KeySourceTrouble } from '../../../lib/authentication/jwt/key-source.js';
import { listen } from '../../support/listen.js';
import { AUDIENCE, ecPair, edPair, ISSUER, issuersOf, TestClock, token, workshop } from './token-workshop.js';

const jwkOf = (key = ecPair.publicKey, kid = 'a') => ({ ...key.export({ format: 'jwk' }), kid });
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An issuer with metadata, as `answers` has it by path. */
async function withIssuer(answers: (origin: string) => Record<string, unknown>, path = '') {
  const asked: string[] = [];
  const silent = new Set<string>();
  let all: Record<string, unknown> = {};
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    if (silent.has(url)) return;
    if (url in all) response.end(JSON.stringify(all[url]));
    else response.writeHead(404).end();
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  all = answers(origin);
  const issuer = origin + path;
  const made = workshop({ jwt: { issuer, audience: AUDIENCE } });
  const outcome = () =>
    made
      .outcome(token({ iss: issuer, iat: made.clock.seconds, exp: made.clock.seconds + 60 }, { kid: 'a' }))
      .catch((error: { code?: string }) => String(error.code));
  return { ...made, asked, silent, outcome, documents: all, issuer };
}

describe('discovery', () => {
  it('R-OA-01 finds the keys by the metadata of OpenID Connect, once', async () => {
    const { outcome, asked, clock } = await withIssuer((origin) => ({
      '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/keys` },
      '/keys': { keys: [jwkOf()] },
    }));
    expect(await outcome()).toBe('user user-1');
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    clock.seconds += 601;
    expect(await outcome()).toBe('user user-1');
    expect(asked.slice(2)).toEqual(['/keys']);
    clock.seconds += 3_601;
    expect(await outcome()).toBe('user user-1');
    expect(asked.slice(3)).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('R-OA-01 finds them by the metadata of RFC 8414, behind the path', async () => {
    const { outcome, asked } = await withIssuer(
      (origin) => ({
        '/.well-known/oauth-authorization-server/tenant/7': {
          issuer: `${origin}/tenant/7`,
          jwks_uri: `${origin}/keys`,
        },
        '/keys': { keys: [jwkOf()] },
      }),
      '/tenant/7',
    );
    expect(await outcome()).toBe('user user-1');
    expect(asked).toEqual([
      '/tenant/7/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/tenant/7',
      '/keys',
    ]);
    expect(metadataUrls('https://id.example/').map(({ href }) => href)).toEqual([
      'https://id.example/.well-known/openid-configuration',
      'https://id.example/.well-known/oauth-authorization-server',
    ]);
  });

  it.each<[string, (origin: string) => object]>([
    ['another issuer', (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/keys` })],
    ['no issuer', (origin) => ({ jwks_uri: `${origin}/keys` })],
    ['no keys', (origin) => ({ issuer: origin })],
    ['keys without https', (origin) => ({ issuer: origin, jwks_uri: 'http://id.example/keys' })],
    ['keys in a file', (origin) => ({ issuer: origin, jwks_uri: 'file:///etc/passwd' })],
  ])('R-OA-01 metadata of %s is none: 503, and no fetch of keys', async (_, metadata) => {
    const { outcome, asked } = await withIssuer((origin) => ({
      '/.well-known/openid-configuration': metadata(origin),
      '/keys': { keys: [jwkOf()] },
    }));
    expect(await outcome()).toBe('UNAVAILABLE');
    expect(asked).not.toContain('/keys');
  });

  it('R-OA-05 R-OA-08 costs one request in a cool-down while the server fails, and goes on without metadata', async () => {
    const { outcome, asked, clock, documents } = await withIssuer((origin) => ({
      '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/keys` },
      '/keys': { keys: [jwkOf()] },
    }));
    expect(await outcome()).toBe('user user-1');
    const keys = documents['/keys'];
    delete documents['/keys'];
    for (let round = 0; round < 5; round++) {
      clock.seconds += 601;
      for (let i = 0; i < 20; i++) expect(await outcome()).toBe('user user-1');
    }
    expect(asked.slice(2)).toEqual(Array.from({ length: 5 }, () => '/keys'));
    delete documents['/.well-known/openid-configuration'];
    documents['/keys'] = keys;
    clock.seconds += 1_000;
    expect(await outcome()).toBe('user user-1');
  });

  it('R-OA-08 metadata that never come leave the keys their part of the time', async () => {
    const { outcome, clock, documents, verifier, silent, issuer } = await withIssuer((origin) => ({
      '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/keys` },
      '/keys': { keys: [jwkOf()] },
    }));
    expect(await outcome()).toBe('user user-1');
    silent.add('/.well-known/openid-configuration');
    documents['/keys'] = { keys: [jwkOf(ecPair.publicKey, 'b')] };
    clock.seconds += 3_601;
    const claims = { iss: issuer, iat: clock.seconds, exp: clock.seconds + 60 };
    expect((await verifier.verify(token(claims, { kid: 'b' }))).principal.id).toBe('user-1');
  });

  it('R-OA-01 a public issuer cannot send us to this machine', async () => {
    const clock = new TestClock();
    const [issuer] = issuersOf(
      { jwt: { issuer: 'https://localhost.localdomain', audience: AUDIENCE } },
      clock,
    );
    await expect(issuer!.keys.find('ES256', 'a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('keys in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jwks-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('R-OA-03 R-OA-07 are read again when the file has changed; a bad version changes nothing', async () => {
    const path = join(folder, 'keys.json');
    let version = 0;
    const write = (content: unknown) => {
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      utimesSync(path, ++version, version);
    };
    write({ keys: [jwkOf(), { kty: 'oct', k: 'AAAA' }] });
    const made = workshop({ jwt: { issuer: ISSUER, audience: AUDIENCE, jwksFile: path } });
    const troubles: KeySourceTrouble[] = [];
    made.issuers[0]!.keys.watch!((trouble) => troubles.push(trouble));
    const old = token({}, { kid: 'a' });
    const fresh = token({}, { alg: 'EdDSA', kid: 'b' }, edPair.privateKey);
    expect(await made.outcome(old)).toBe('user user-1');
    expect(await made.outcome(fresh)).toBe('token.key-unknown');
    write('{"keys":');
    made.clock.seconds += 31;
    expect(await made.outcome(old)).toBe('user user-1');
    await expect.poll(() => troubles).toHaveLength(1);
    write({ keys: [jwkOf(edPair.publicKey, 'b')] });
    made.clock.seconds += 31;
    await expect.poll(() => made.outcome(fresh)).toBe('user user-1');
    expect(made.verifier.cached(old)).toBeUndefined();
    expect(await made.outcome(old)).toBe('token.key-unknown');
  });

  it.each(['missing.json', 'broken.json', 'empty.json', 'private.json'])(
    'R-CF-01 %s stops the boot',
    (name) => {
      writeFileSync(join(folder, 'broken.json'), '<html>');
      writeFileSync(join(folder, 'empty.json'), '{"keys":[]}');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(
        join(folder, 'private.json'),
        JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }),
      );
      expect(() =>
        issuersOf({ jwt: { issuer: ISSUER, audience: AUDIENCE, jwksFile: join(folder, name) } }),
      ).toThrow('jwksFile');
    },
  );
});
