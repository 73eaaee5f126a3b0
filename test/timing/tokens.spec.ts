import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';

import { Controller, Get } from '@nestjs/common';
import { JwtAuth, type SecurityOptions } from 'nestjs-api-security';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { forge } from '../authentication/jwt/token-workshop.js';
import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { listen } from '../support/listen.js';
import { startSecured } from '../support/secured-app.js';
import { getRequest, median, Wire } from './latency.js';

const ISSUER = 'https://id.example.test';
const AUDIENCE = 'https://api.example.test';
const ROUNDS = 1_000;

const REFUSED = ['bad signature', 'unknown kid', 'wrong audience'] as const;
const KINDS = [...REFUSED, 'first seen', 'seen before'] as const;
type Kind = (typeof KINDS)[number];

@Controller()
@JwtAuth()
class GuardedController {
  @Get('guarded')
  guarded(): object {
    return {};
  }
}

const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
type Algorithm = keyof typeof PAIRS;

/** A token that nobody has seen before. */
function token(alg: Algorithm, { kid = alg, aud = AUDIENCE }: { kid?: string; aud?: string } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud,
    sub: 'ada',
    client_id: 'app',
    jti: randomUUID(),
    iat: now,
    exp: now + 600,
  };
  const key: KeyObject = PAIRS[alg].privateKey;
  return forge(JSON.stringify({ alg, typ: 'at+jwt', kid }), JSON.stringify(claims), alg, key);
}

/** The same token with the signature of another one. */
function badlySigned(alg: Algorithm): string {
  const [header, claims] = token(alg).split('.');
  return [header, claims, token(alg).split('.')[2]].join('.');
}

let keyServer: Server;
let jwksUri: string;

beforeAll(async () => {
  const keys = Object.entries(PAIRS).map(([alg, { publicKey }]) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid: alg,
    alg,
    use: 'sig',
  }));
  keyServer = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  jwksUri = `http://127.0.0.1:${String(await listen(keyServer))}/keys`;
});

afterEach(closeApps);
afterAll(() => void keyServer.close());

describe.each(ADAPTERS)('the time of a bad token on %s', (adapter) => {
  it.each<Algorithm>(['RS256', 'ES256'])(
    'R-JW-24 tells less than one verification of %s',
    { timeout: 30_000 },
    async (alg) => {
      const options: SecurityOptions = {
        jwt: { issuer: ISSUER, audience: AUDIENCE, jwksUri, algorithms: [alg] },
        rateLimit: { read: false, write: false, address: false, failedAuthentication: false },
      };
      const { port } = await startSecured(adapter, options, { controllers: [GuardedController] });
      const wire = await Wire.open(port);
      const seen = token(alg);
      const spread = await settledSpread(wire, {
        'bad signature': () => badlySigned(alg),
        'unknown kid': () => token(alg, { kid: randomUUID() }),
        'wrong audience': () => token(alg, { aud: 'https://other.example.test' }),
        'first seen': () => token(alg),
        'seen before': () => seen,
      });
      wire.close();
      expect(spread.refused).toBeLessThan(spread.verification);
    },
  );
});

/** Milliseconds: between the fastest and the slowest refusal, and of one verification with all that belongs to it. */
interface Spread {
  readonly refused: number;
  readonly verification: number;
}

/**
 * Samples until the refusals are as close as they should be, three times at most: medians of a busy machine wander.
 * A verification is what a token costs when it is first seen, over what it costs ever after. A `kid` that is not in the key
 * set costs none, on purpose (R-AU-14): which keys there are is public.
 */
async function settledSpread(wire: Wire, kinds: Record<Kind, () => string>): Promise<Spread> {
  for (let attempt = 1; ; attempt += 1) {
    const times = await timesOf(wire, kinds);
    const refused = REFUSED.map((kind) => times[kind]);
    const spread = {
      refused: Math.max(...refused) - Math.min(...refused),
      verification: times['first seen'] - times['seen before'],
    };
    if (spread.refused < spread.verification || attempt === 3) return spread;
  }
}

/** The median time of each kind, in milliseconds; all are sent in turn, in random order. */
async function timesOf(wire: Wire, kinds: Record<Kind, () => string>): Promise<Record<Kind, number>> {
  const samples = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  const bodies = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of KINDS.toSorted(() => Math.random() - 0.5)) {
      const request = getRequest('/guarded', `Bearer ${kinds[kind]()}`);
      const before = performance.now();
      const answer = await wire.ask(request);
      samples.get(kind)?.push(performance.now() - before);
      const isRefused = REFUSED.some((one) => one === kind);
      expect(answer.slice(9, 12)).toBe(isRefused ? '401' : '200');
      if (isRefused) bodies.add(answer.replace(/\r\ndate: [^\r]*/i, ''));
    }
  }
  expect([...bodies]).toHaveLength(1);
  return Object.fromEntries(KINDS.map((kind) => [kind, median(samples.get(kind) ?? [])])) as Record<
    Kind,
    number
  >;
}
