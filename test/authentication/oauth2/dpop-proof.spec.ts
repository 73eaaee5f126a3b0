import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  DPOP_ALGORITHMS,
  readProof,
  verifyProof,
} from '../../../lib/authentication/oauth2/dpop/dpop-proof.js';
import { DpopNonces } from '../../../lib/authentication/oauth2/dpop/dpop-nonces.js';
import { normalizedTargetUri } from '../../../lib/authentication/oauth2/dpop/target-uri.js';
import { ProofRejected } from '../../../lib/authentication/oauth2/dpop/dpop-proof.js';
import { type ProofMaker, proofMaker } from './proofs.js';

describe('DPoP proofs', () => {
  let maker: ProofMaker;
  let proof: string;
  beforeAll(async () => {
    maker = await proofMaker();
    proof = await maker.proof('GET', 'https://api.example/x', 'token');
  });

  /** Whether a text passes for a proof; anything but a refusal is a fault. */
  function passes(text: string): boolean {
    try {
      verifyProof(readProof(text, DPOP_ALGORITHMS));
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(ProofRejected);
      return false;
    }
  }

  it('R-DP-03 of all texts that differ from it in one character none passes', () => {
    expect(passes(proof)).toBe(true);
    fc.assert(
      fc.property(
        fc.nat(proof.length - 1),
        fc.constantFrom(...'AZaz09-_.=+/ \né'.split('')),
        (at, character) => {
          const changed = proof.slice(0, at) + character + proof.slice(at + 1);
          expect(passes(changed)).toBe(changed === proof);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('R-DP-03 no text at all makes it throw anything but a refusal', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc
        .record({
          typ: fc.constant('dpop+jwt'),
          alg: fc.constantFrom(...DPOP_ALGORITHMS),
          jwk: fc.jsonValue(),
        })
        .map((header) => Buffer.from(JSON.stringify(header)).toString('base64url')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(passes(parts.join('.'))).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('readProof', () => {
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  const reasonOf = (header: object, claims: string) => {
    try {
      readProof(`${encode(JSON.stringify(header))}.${encode(claims)}.AAAA`, DPOP_ALGORITHMS);
      return undefined;
    } catch (error) {
      return (error as ProofRejected).reason;
    }
  };
  const claims = '{"jti":"1","htm":"GET","htu":"https://api.example/x","iat":1}';

  it.each([
    [1_024, 'proof.key'],
    [2_048, undefined],
    [4_096, undefined],
    [8_192, 'proof.key'],
    [16_384, 'proof.key'],
  ])('R-DP-03 an RSA key of %i bits', (bits, reason) => {
    const modulus = randomBytes(bits / 8);
    modulus[0]! |= 0x80;
    modulus[modulus.length - 1]! |= 1;
    const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' };
    expect(reasonOf({ typ: 'dpop+jwt', alg: 'PS256', jwk }, claims)).toBe(reason);
  });

  it('R-DP-03 nothing in it has a second reading', async () => {
    const { jwk } = await proofMaker();
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk };
    expect(reasonOf(header, claims)).toBeUndefined();
    const twice = `{"jti":"1","jti":"2",${claims.slice(1)}`;
    for (const text of [
      twice,
      `\ufeff${claims}`,
      `${claims} `.repeat(2),
      '[]',
      claims.replace('"1"', '["1"]'),
    ])
      expect([text, reasonOf(header, text)]).toEqual([text, expect.stringMatching(/malformed|claims/)]);
    expect(reasonOf({ ...header, alg: 'RS256' }, claims)).toBe('proof.algorithm');
    expect(reasonOf({ ...header, alg: 'HS256' }, claims)).toBe('proof.algorithm');
    expect(reasonOf({ ...header, jwk: { ...jwk, use: 'enc' } }, claims)).toBe('proof.key');
  });
});

describe('normalizedTargetUri', () => {
  it('R-DP-04 takes one form for one address, and what has it stays', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const once = normalizedTargetUri(url);
        expect(once).toBeDefined();
        expect(normalizedTargetUri(once!)).toBe(once);
        expect(normalizedTargetUri(url.replace(/[?#].*$/s, ''))).toBe(once);
      }),
    );
  });

  it.each(['', 'x', '/path', 'ftp://a.example/', 'https://me@a.example/', 'javascript:1', 'urn:a'])(
    'R-DP-04 %j is no address of a request',
    (uri) => {
      expect(normalizedTargetUri(uri)).toBeUndefined();
    },
  );
});

describe('DpopNonces', () => {
  it('R-DP-08 one nonce is good on every node for up to five minutes, and never with another secret', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.nat(600_000), (start, later) => {
        let now = start;
        const clock = { now: () => now, monotonic: () => 0 };
        const [one, other, foreign] = [1, 1, 2].map((fill) => new DpopNonces(Buffer.alloc(32, fill), clock));
        const nonce = one!.current();
        now += later;
        const taken = other!.isTaken(nonce);
        if (later <= 200_000) expect(taken).toBe(true);
        if (later >= 300_000) expect(taken).toBe(false);
        expect(foreign!.isTaken(nonce)).toBe(false);
      }),
    );
  });

  it('R-DP-08 a node whose clock is behind takes the nonce of one that is ahead', () => {
    let now = 1_000_000;
    const clock = { now: () => now, monotonic: () => 0 };
    const [ahead, behind] = [1, 1].map((fill) => new DpopNonces(Buffer.alloc(32, fill), clock));
    const nonce = ahead!.current();
    now -= 50;
    expect(behind!.current()).not.toBe(nonce);
    expect(behind!.isTaken(nonce)).toBe(true);
    now -= 100_000;
    expect(behind!.isTaken(nonce)).toBe(false);
  });
});
