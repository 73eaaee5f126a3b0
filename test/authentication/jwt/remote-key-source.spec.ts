import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { AUDIENCE, ecPair, ISSUER, rsaPair, token, type Workshop, workshop } from './token-workshop.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const second = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const keys =
  (...list: unknown[]): Answer =>
  (_, response) =>
    response.end(JSON.stringify({ keys: list }));
const KEY_A = jwk(ecPair.publicKey, { kid: 'a', alg: 'ES256', use: 'sig' });
const KEY_B = jwk(second.publicKey, { kid: 'b', alg: 'ES256' });

/** A key server that answers as told, and a verifier that asks it. */
async function withKeyServer(first: Answer) {
  const state = { answer: first, requests: 0, headers: {} as IncomingMessage['headers'] };
  const server = createServer((request, response) => {
    state.requests++;
    state.headers = request.headers;
    state.answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const made: Workshop = workshop({
    jwt: { issuer: ISSUER, audience: AUDIENCE, jwksUri: `http://127.0.0.1:${port}/keys` },
  });
  const outcome = (text: string) =>
    made.outcome(text).catch((error: { code?: string }) => String(error.code));
  return { ...made, outcome, state, port };
}

const signedByA = (claims = {}) => token(claims, { kid: 'a' });
const signedByB = () => token({}, { kid: 'b' }, second.privateKey);

describe('keys from jwks_uri', () => {
  it('R-OA-04 are fetched once, by the first token that needs them', async () => {
    const { outcome, state } = await withKeyServer(keys(KEY_A, KEY_B));
    expect(state.requests).toBe(0);
    expect(await Promise.all([signedByA(), signedByB(), signedByA({ jti: 'x' })].map(outcome))).toEqual([
      'user user-1',
      'user user-1',
      'user user-1',
    ]);
    expect(state.requests).toBe(1);
    expect(state.headers.authorization).toBeUndefined();
    expect(state.headers.cookie).toBeUndefined();
  });

  it('R-OA-05 D14 unknown names cause one fetch in 30 seconds, and 401', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    clock.seconds += 31;
    for (let i = 0; i < 200; i++)
      expect(await outcome(token({}, { kid: `x${i}` }))).toBe('token.key-unknown');
    expect(state.requests).toBe(2);
    state.answer = (_, response) => response.writeHead(500).end();
    clock.seconds += 31;
    for (let i = 0; i < 200; i++)
      expect(await outcome(token({}, { kid: `y${i}` }))).toBe('token.key-unknown');
    expect(state.requests).toBe(3);
    expect(await outcome(signedByA({ jti: 'z' }))).toBe('user user-1');
  });

  it('R-OA-06 R-OA-07 a new key is found, a withdrawn one is gone', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = keys(KEY_B);
    clock.seconds += 31;
    expect(await outcome(signedByB())).toBe('user user-1');
    expect(await outcome(signedByA({ jti: 'x' }))).toBe('token.key-unknown');
  });

  it('R-OA-08 the endpoint may be down for an hour, then tokens get 503', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = (_, response) => response.writeHead(503).end();
    const later = (seconds: number) => {
      clock.seconds += seconds;
      return outcome(signedByA({ iat: clock.seconds, exp: clock.seconds + 60 }));
    };
    expect(await later(3_500)).toBe('user user-1');
    expect(await later(200)).toBe('UNAVAILABLE');
    state.answer = keys(KEY_A);
    expect(await later(31)).toBe('user user-1');
  });

  it.each<[string, Answer]>([
    ['an error', (_, response) => response.writeHead(500).end()],
    ['no JSON', (_, response) => response.end('<html>')],
    ['no set', (_, response) => response.end('null')],
    ['an empty set', keys()],
    ['no list', (_, response) => response.end('{"keys":{}}')],
    [
      'only keys that cannot be used',
      keys({ kty: 'oct', k: 'AAAA' }, jwk(ecPair.privateKey), jwk(ecPair.publicKey, { use: 'enc' })),
    ],
    [
      'more than a set can need',
      (_, response) => response.end(JSON.stringify({ keys: [KEY_A], x: 'a'.repeat(200_000) })),
    ],
  ])('R-OA-02 R-OA-03 D14 %s is no usable set: 503', async (_, answer) => {
    const { outcome, state } = await withKeyServer(answer);
    for (let i = 0; i < 20; i++) expect(await outcome(signedByA())).toBe('UNAVAILABLE');
    expect(state.requests).toBe(1);
  });

  it('R-OA-02 redirects are not followed', async () => {
    const target = await withKeyServer(keys(KEY_A));
    const { outcome } = await withKeyServer((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${target.port}/keys` }).end(),
    );
    expect(await outcome(signedByA())).toBe('UNAVAILABLE');
    expect(target.state.requests).toBe(0);
  });

  it('R-OA-02 a server that never ends its answer is waited for 3 seconds', async () => {
    const { outcome } = await withKeyServer((_, response) => void response.write('{"keys":['));
    const started = performance.now();
    expect(await outcome(signedByA())).toBe('UNAVAILABLE');
    expect(performance.now() - started).toBeLessThan(4_500);
  });

  it('R-OA-03 one bad key does not spoil the set, and two of one name spoil only each other', async () => {
    const bad = [null, 7, {}, { kty: 'oct', k: 'AAAA', kid: 'o' }, jwk(rsaPair.privateKey, { kid: 'p' })];
    const { outcome } = await withKeyServer(
      keys(...bad, KEY_A, jwk(second.publicKey, { kid: 'twin' }), jwk(ecPair.publicKey, { kid: 'twin' })),
    );
    expect(await outcome(signedByA())).toBe('user user-1');
    expect(await outcome(token({}, { kid: 'twin' }))).toBe('token.key-unknown');
    expect(await outcome(token({}, { kid: 'p', alg: 'RS256' }, rsaPair.privateKey))).toBe(
      'token.key-unknown',
    );
  });

  it('R-OA-09 a token of an unknown issuer causes no fetch', async () => {
    const { outcome, state } = await withKeyServer(keys(KEY_A));
    for (let i = 0; i < 100; i++)
      expect(await outcome(signedByA({ iss: `https://evil${i}.example` }))).toBe('token.issuer');
    expect(state.requests).toBe(0);
  });

  it('R-OA-04 R-OA-08 are renewed in the background before their time, and nobody waits', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = () => undefined;
    clock.seconds += 500;
    const began = performance.now();
    for (let i = 0; i < 20; i++) expect(await outcome(signedByA({ jti: `${i}` }))).toBe('user user-1');
    expect(performance.now() - began).toBeLessThan(2_500);
    await expect.poll(() => state.requests).toBe(2);
  });

  it('R-OA-04 a max-age of the server makes them be renewed sooner, never later', async () => {
    const { outcome, state, clock } = await withKeyServer((_, response) =>
      response.setHeader('Cache-Control', 'max-age=90').end(JSON.stringify({ keys: [KEY_A] })),
    );
    const later = (seconds: number) => {
      clock.seconds += seconds;
      return outcome(signedByA({ iat: clock.seconds, exp: clock.seconds + 60 }));
    };
    expect(await later(0)).toBe('user user-1');
    expect(await later(91)).toBe('user user-1');
    expect(state.requests).toBe(2);
    state.answer = (_, response) =>
      response.setHeader('Cache-Control', 'max-age=99999').end(JSON.stringify({ keys: [KEY_A] }));
    await later(91);
    await later(601);
    expect(state.requests).toBe(4);
  });

  it('R-OA-07 a withdrawn key takes its tokens with it, those too that were known', async () => {
    const { outcome, verifier, issuers, state } = await withKeyServer(keys(KEY_A, KEY_B));
    const text = signedByA();
    expect(await outcome(text)).toBe('user user-1');
    expect(verifier.cached(text)).toBeDefined();
    state.answer = keys(KEY_B);
    await issuers[0]!.keys.refresh!();
    expect(verifier.cached(text)).toBeUndefined();
    expect(await outcome(text)).toBe('token.key-unknown');
    expect(await outcome(signedByB())).toBe('user user-1');
  });

  it('R-OA-07 tokens that were known wait for the keys when these are due', async () => {
    const { outcome, verifier, state, clock } = await withKeyServer(keys(KEY_A));
    const text = token({ exp: clock.seconds + 3_000 }, { kid: 'a' });
    expect(await outcome(text)).toBe('user user-1');
    clock.seconds += 599;
    expect(verifier.cached(text)).toBeDefined();
    await expect.poll(() => state.requests).toBe(2);
    await expect.poll(() => verifier.cached(text)).toBeDefined();
    clock.seconds += 600;
    expect(verifier.cached(text)).toBeUndefined();
    state.answer = keys(KEY_B);
    expect(await outcome(text)).toBe('token.key-unknown');
  });

  it('R-OA-07 R-OA-08 a token that came when keys were due is known no longer than they may be used', async () => {
    const { outcome, verifier, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    clock.seconds += 601;
    const text = token({ iat: clock.seconds + 20, exp: clock.seconds + 3_620 }, { kid: 'a' });
    expect(await outcome(text)).toBe('user user-1');
    state.answer = (_, response) => response.writeHead(500).end();
    clock.seconds += 3_605;
    expect(verifier.cached(text)).toBeUndefined();
    expect(await outcome(text)).toBe('UNAVAILABLE');
  });

  it('R-OA-07 whoever fetches the keys now is told when that fails', async () => {
    const { outcome, issuers, state } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = (_, response) => response.writeHead(500).end();
    await expect(issuers[0]!.keys.refresh!()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await outcome(signedByA({ jti: 'x' }))).toBe('user user-1');
  });

  it('R-OA-08 keys that are due are waited for once while the server is silent, by no more than may wait', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = () => undefined;
    const fresh = (jti: string) => signedByA({ jti, iat: clock.seconds, exp: clock.seconds + 60 });
    clock.seconds += 601;
    expect(await outcome(fresh('first'))).toBe('user user-1');
    clock.seconds += 31;
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: 300 }, (_, i) => outcome(fresh(`${i}`))));
    expect(new Set(all)).toEqual(new Set(['user user-1']));
    expect(performance.now() - began).toBeLessThan(2_500);
    await expect.poll(() => state.requests).toBe(3);
  });

  it('R-OA-06 a new key whose first token came within a cool-down is found by the next fetch', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    clock.seconds += 31;
    expect(await outcome(token({}, { kid: 'made-up' }))).toBe('token.key-unknown');
    state.answer = keys(KEY_A, KEY_B);
    clock.seconds += 5;
    expect(await outcome(signedByB())).toBe('token.key-unknown');
    clock.seconds += 26;
    expect(await outcome(signedByB())).toBe('user user-1');
  });

  it('R-OA-06 a new key is found under a flood of made-up names, and one client uses half of the fetches', async () => {
    const { verifier, state, clock } = await withKeyServer(keys(KEY_A));
    const verdict = (text: string, address: string) =>
      verifier.verify(text, address).then(
        () => 'good',
        (error: { reason?: string }) => error.reason,
      );
    expect(await verdict(signedByA(), '192.0.2.1')).toBe('good');
    for (let minute = 0; minute < 4; minute++) {
      clock.seconds += 31;
      for (let i = 0; i < 50; i++) await verdict(token({}, { kid: `x${minute}-${i}` }), '192.0.2.66');
    }
    expect(state.requests).toBe(3);
    state.answer = keys(KEY_A, KEY_B);
    clock.seconds += 31;
    await verdict(token({}, { kid: 'last' }), '192.0.2.66');
    expect(await verdict(signedByB(), '192.0.2.2')).toBe('good');
  });

  it('R-OA-05 R-OA-08 10 000 unknown names while the server is silent: good tokens go on, one fetch, no long wait', async () => {
    const { outcome, state, clock } = await withKeyServer(keys(KEY_A));
    expect(await outcome(signedByA())).toBe('user user-1');
    state.answer = () => undefined;
    clock.seconds += 31;
    const began = performance.now();
    const flood = Array.from({ length: 10_000 }, (_, i) => outcome(token({}, { kid: `x${i}` })));
    const good = await Promise.all(
      Array.from({ length: 50 }, (_, i) => outcome(signedByA({ jti: `g${i}` }))),
    );
    expect(new Set(good)).toEqual(new Set(['user user-1']));
    const verdicts = await Promise.all(flood);
    expect(performance.now() - began).toBeLessThan(25_000);
    expect(new Set(verdicts)).toEqual(new Set(['token.key-unknown', 'UNAVAILABLE']));
    expect(verdicts.filter((verdict) => verdict === 'token.key-unknown').length).toBeLessThanOrEqual(100);
    expect(state.requests).toBe(2);
  }, 40_000);

  it('R-OA-03 R-OA-08 tells of keys that share a name, and of a server that fails', async () => {
    const { outcome, issuers, state, clock } = await withKeyServer(
      keys(KEY_A, jwk(second.publicKey, { kid: 'twin' }), jwk(ecPair.publicKey, { kid: 'twin' })),
    );
    const troubles: unknown[] = [];
    issuers[0]!.keys.watch!((trouble) => troubles.push(trouble));
    await outcome(signedByA());
    state.answer = (_, response) => response.writeHead(500).end();
    clock.seconds += 31;
    await outcome(token({}, { kid: 'x' }));
    expect(troubles).toEqual([
      { kind: 'ambiguous', kid: 'twin' },
      { kind: 'failed', reason: 'the answer is 500' },
    ]);
  });
});
