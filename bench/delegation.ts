// What OAuth adds to a request: an opaque token seen before, and a DPoP proof, beside one checked with jose by hand.
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { calculateJwkThumbprint, EmbeddedJWK, exportJWK, jwtVerify, SignJWT } from 'jose';

import { median } from './measure/statistics.js';

const ROUNDS = 7;
const WARM_UP = 2;
const PROOFS = 2_000;
const LOOKS = 20_000;
const API = 'https://api.example';

// Not public: the bench looks inside, so that HTTP is not measured with it.
const inside = (path: string) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const events = { emit: () => undefined };

interface Introspection {
  cached(token: string): unknown;
  verify(token: string): Promise<unknown>;
}

async function introspectionOf(url: string): Promise<Introspection> {
  const { IntrospectionVerifier } = (await inside(
    'authentication/oauth2/introspection/introspection-verifier',
  )) as { IntrospectionVerifier: new (...parts: unknown[]) => Introspection };
  const { RevocationList } = (await inside('authentication/jwt/revocation-list')) as {
    RevocationList: new (clock: unknown) => unknown;
  };
  const { compileOpaqueIssuer } = (await inside('authentication/oauth2/opaque-issuer')) as {
    compileOpaqueIssuer: (...parts: unknown[]) => unknown;
  };
  const { ConfigurationProblems } = (await inside('configuration/configuration-problems')) as {
    ConfigurationProblems: new () => { throwIfAny(): void };
  };
  const problems = new ConfigurationProblems();
  const introspection = {
    endpoint: `${url}/introspect`,
    clientId: 'api',
    clientSecret: 'secret',
    cacheFor: '5m',
  };
  const issuer = compileOpaqueIssuer(
    { resource: API, issuers: [{ issuer: url, introspection }] },
    false,
    problems,
  );
  problems.throwIfAny();
  return new IntrospectionVerifier(issuer, new RevocationList(clock), clock, events);
}

interface Senders {
  check(state: object, policy: object, token: string, verified: object): Promise<void> | void;
}

async function sendersOf(): Promise<Senders> {
  const { SenderConstraint } = (await inside('authentication/oauth2/sender-constraint')) as {
    SenderConstraint: new (parts: object) => Senders;
  };
  const { compileDpopOptions } = (await inside('authentication/oauth2/dpop/dpop.options')) as {
    compileDpopOptions: (...parts: unknown[]) => object;
  };
  const { StoreCalls } = (await inside('authentication/store-calls')) as {
    StoreCalls: new (...parts: unknown[]) => object;
  };
  return new SenderConstraint({
    dpop: compileDpopOptions(undefined, API, undefined),
    nonces: undefined,
    certificates: { thumbprintOf: () => undefined },
    calls: new StoreCalls(1_000, events, {}),
    clock,
  });
}

/** Microseconds of CPU for each call. */
async function cpu(times: number, call: (i: number) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) {
    const answer = call(i);
    if (answer instanceof Promise) await answer;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

async function measure(times: number, call: (round: number, i: number) => unknown): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const figure = await cpu(times, (i) => call(round, i));
    if (round >= WARM_UP) figures.push(figure);
  }
  return median(figures);
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const answer = { active: true, aud: API, sub: 'user', client_id: 'app', scope: 'orders:read', exp };
    response.end(JSON.stringify(answer));
  });
});
await new Promise<void>((done) => {
  server.listen(0, '127.0.0.1', done);
});
const introspection = await introspectionOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
const opaque = Array.from({ length: 50 }, () => randomUUID());
for (const token of opaque) await introspection.verify(token);
server.close();
const looked = await measure(LOOKS, (_, i) => introspection.cached(opaque[i % 50]!));

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = await exportJWK(pair.publicKey);
const jkt = await calculateJwkThumbprint(jwk);
const token = 'x'.repeat(800);
const ath = createHash('sha256').update(token).digest('base64url');
const proofs = await Promise.all(
  Array.from({ length: PROOFS * (ROUNDS + WARM_UP) }, () =>
    new SignJWT({ htm: 'GET', htu: `${API}/orders`, jti: randomUUID(), ath })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(pair.privateKey),
  ),
);
const senders = await sendersOf();
const policy = { authentication: { dpopRequired: false } };
const verified = { binding: { jkt, certificate: undefined }, principal: { scheme: 'oauth2' } };
const ours = await measure(PROOFS, (round, i) => {
  const rawHeaders = ['Host', 'api.example', 'Accept', '*/*', 'DPoP', proofs[round * PROOFS + i]!];
  const request = { method: 'GET', url: '/orders?page=1', rawHeaders };
  return senders.check({ wireScheme: 'dpop', request }, policy, token, verified);
});
const used = new Set<string>();
const byHand = await measure(PROOFS, async (round, i) => {
  const { payload, protectedHeader } = await jwtVerify(proofs[round * PROOFS + i]!, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: ['ES256'],
    maxTokenAge: '5m',
  });
  const same = (await calculateJwkThumbprint(protectedHeader.jwk!)) === jkt;
  const digest = createHash('sha256').update(token).digest('base64url');
  if (!same || payload['ath'] !== digest || payload['htm'] !== 'GET') throw new Error('refused');
  if (payload['htu'] !== `${API}/orders` || used.has(payload.jti!)) throw new Error('refused');
  used.add(payload.jti!);
});

console.log('\n### Delegation, microseconds of CPU\n');
console.log('| what | this module | with jose, by hand |');
console.log('| --- | ---: | ---: |');
console.log(`| an opaque token seen before | ${looked.toFixed(2)} | — |`);
console.log(`| a DPoP proof, ES256 | ${ours.toFixed(1)} | ${byHand.toFixed(1)} |`);
