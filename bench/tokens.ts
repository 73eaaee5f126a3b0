// Verifying JWTs by algorithm, seen for the first time and seen before, beside jsonwebtoken, jose and fast-jwt; and what revocations cost.
import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

import { createVerifier } from 'fast-jwt';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

import { median } from './measure/statistics.js';

type Verify = (token: string) => unknown;
interface Contestant {
  readonly name: string;
  /** `undefined` where it cannot do the algorithm. @param remembers tokens that it may remember, if it can at all */
  readonly make: (algorithm: string, key: KeyObject, remembers: number) => Verify | undefined;
}

const ISSUER = 'https://id.example';
const AUDIENCE = 'https://api.example';
const ROUNDS = 7;
const WARM_UP = 2;
/** More than a verifier remembers when it is to see each of them for the first time. */
const TOKENS = 2_000;
const REMEMBERED = 10_000;
const CACHED = 20_000;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const secret = createSecretKey(randomBytes(32));
const ALGORITHMS: readonly (readonly [string, KeyObject, KeyObject])[] = [
  ['HS256', secret, secret],
  ['RS256', rsa.privateKey, rsa.publicKey],
  ['PS256', rsa.privateKey, rsa.publicKey],
  ['ES256', ec.privateKey, ec.publicKey],
  ['EdDSA', ed.privateKey, ed.publicKey],
];

// Not public: the bench looks inside, so that HTTP is not measured with it.
const inside = (path: string) =>
  import(new URL(`../dist/authentication/jwt/${path}.js`, import.meta.url).href);
const { BearerTokenVerifier } = (await inside('bearer-token-verifier')) as {
  BearerTokenVerifier: new (...parts: unknown[]) => {
    cached: Verify;
    verify: (token: string) => Promise<unknown>;
  };
};
const { compileTokenIssuers } = (await inside('issuer-compiler')) as {
  compileTokenIssuers: (...parts: unknown[]) => unknown[];
};
const { RevocationList } = (await inside('revocation-list')) as {
  RevocationList: new (clock: unknown) => { add(revocation: object): void };
};
const { ConfigurationProblems } = (await import(
  new URL('../dist/configuration/configuration-problems.js', import.meta.url).href
)) as { ConfigurationProblems: new () => { throwIfAny(): void } };
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

function ours(
  algorithm: string,
  key: KeyObject,
  remembers: number,
  revocations = new RevocationList(clock),
): Verify {
  const problems = new ConfigurationProblems();
  const member = algorithm === 'HS256' ? { secret: key } : { publicKey: key };
  const jwt = { issuer: ISSUER, audience: AUDIENCE, algorithms: [algorithm], ...member };
  const issuers = compileTokenIssuers({ jwt }, problems);
  problems.throwIfAny();
  const verifier = new BearerTokenVerifier(issuers, revocations, clock, remembers);
  return (token) => verifier.cached(token) ?? verifier.verify(token);
}

const CONTESTANTS: readonly Contestant[] = [
  { name: 'this module', make: (algorithm, key, remembers) => ours(algorithm, key, remembers) },
  {
    name: 'jsonwebtoken',
    make: (algorithm, key) =>
      algorithm === 'EdDSA'
        ? undefined
        : (token) =>
            jsonwebtoken.verify(token, key, {
              algorithms: [algorithm as 'HS256'],
              issuer: ISSUER,
              audience: AUDIENCE,
            }),
  },
  {
    name: 'jose',
    make: (algorithm, key) => (token) =>
      jwtVerify(token, key, { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' }),
  },
  { name: 'fast-jwt', make: (algorithm, key) => fastJwt(algorithm, key, false) },
  { name: 'fast-jwt, its cache on', make: (algorithm, key, remembers) => fastJwt(algorithm, key, remembers) },
];

function fastJwt(algorithm: string, key: KeyObject, cache: number | false): Verify {
  const material = key.type === 'secret' ? key.export() : key.export({ type: 'spki', format: 'pem' });
  const options = { key: material, algorithms: [algorithm], allowedIss: ISSUER, allowedAud: AUDIENCE, cache };
  return createVerifier(options as never) as Verify;
}

async function tokensOf(algorithm: string, key: KeyObject): Promise<string[]> {
  return Promise.all(
    Array.from({ length: TOKENS }, (_, i) =>
      new SignJWT({ scope: 'orders:read orders:write', client_id: 'web', sid: `s${i}`, roles: ['member'] })
        .setProtectedHeader({ alg: algorithm, typ: 'at+jwt' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(`user-${i}`)
        .setJti(`token-${i}`)
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(key),
    ),
  );
}

/** Microseconds of CPU for each call; a call that answers at once is not waited for. */
async function cpu(times: number, call: (i: number) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) {
    const answer = call(i);
    if (answer instanceof Promise) await answer;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const show = (value: number | undefined) => (value === undefined ? '—' : value.toFixed(value < 10 ? 2 : 1));

console.log('\n### Verifying a JWT, microseconds of CPU: seen for the first time / seen before\n');
console.log(`| verifier | ${ALGORITHMS.map(([name]) => name).join(' | ')} |`);
console.log(`| --- | ${ALGORITHMS.map(() => '---:').join(' | ')} |`);
const results = new Map<string, string[]>(CONTESTANTS.map(({ name }) => [name, []]));
for (const [algorithm, signing, verifying] of ALGORITHMS) {
  const tokens = await tokensOf(algorithm, signing);
  const cold = new Map<string, number[]>();
  const warm = new Map<string, number[]>();
  // One verifier for all rounds: what is measured is the work, not how it is compiled.
  const verifiers = CONTESTANTS.map(({ name, make }) => ({
    name,
    forgetful: make(algorithm, verifying, 1),
    retentive: make(algorithm, verifying, REMEMBERED),
  }));
  // In turn, so that noise of the machine hits all alike; the first rounds warm up.
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { name, forgetful, retentive } of verifiers) {
      if (!forgetful || !retentive) continue;
      const first = await cpu(TOKENS, (i) => forgetful(tokens[i]!));
      const again = await cpu(name === 'jose' ? TOKENS : CACHED, (i) => retentive(tokens[i % 50]!));
      if (round < 0) continue;
      cold.set(name, [...(cold.get(name) ?? []), first]);
      warm.set(name, [...(warm.get(name) ?? []), again]);
    }
  }
  for (const { name } of CONTESTANTS) {
    const [first, again] = [cold.get(name), warm.get(name)];
    results.get(name)!.push(first && again ? `${show(median(first))} / ${show(median(again))}` : 'cannot');
  }
}
for (const [name, cells] of results) console.log(`| ${name} | ${cells.join(' | ')} |`);

console.log('\n### A token seen before, by the number of revocations that a node knows\n');
console.log('| revocations | microseconds of CPU |');
console.log('| ---: | ---: |');
const [, signing, verifying] = ALGORITHMS[3]!;
const tokens = await tokensOf('ES256', signing);
for (const count of [0, 1_000, 100_000]) {
  const revocations = new RevocationList(clock);
  const at = Date.now();
  for (let i = 0; i < count; i++) {
    for (const kind of ['session', 'subject']) {
      revocations.add({ kind, issuer: ISSUER, name: `gone-${i}`, at, until: at + 3_600_000 });
    }
  }
  const verify = ours('ES256', verifying, REMEMBERED, revocations);
  await cpu(TOKENS, (i) => verify(tokens[i]!));
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(await cpu(50_000, (i) => verify(tokens[i % TOKENS]!)));
  console.log(`| ${count} | ${show(median(rounds))} |`);
}
