import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ProofMaker, proofMaker } from '../authentication/oauth2/proofs.js';
import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

type Tokens = Readonly<Record<string, string>>;

describe.each(ADAPTERS)('R-AS-23 proofs at the token endpoint, on %s', (adapter) => {
  let server: ServerApp;
  let clientId: string;
  let key: ProofMaker;
  let refreshToken: string;
  beforeAll(async () => {
    server = await startServer(adapter);
    ({ clientId } = await server.register({ authentication: 'none', allowedOrigins: ['https://a.example'] }));
    key = await proofMaker();
    const proof = pkce();
    const url = authorizeUrl(server.issuer, clientId, proof, { dpop_jkt: key.jkt });
    const back = await authorize(new Visitor(server.port, server.issuer), url, ALICE);
    const { json } = await ask([await made()], {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: proof.verifier,
    });
    refreshToken = json['refresh_token']!;
  });
  afterAll(() => server.close());

  const made = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) =>
    by.proof('POST', `${server.issuer}/oauth/token`, '', { ath: undefined, ...claims }, header);
  const ask = (proofs: readonly string[], form: Record<string, string>) =>
    send<Tokens>(server.port, 'POST', '/oauth/token', {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://a.example',
        dpop: [...proofs],
      },
      body: new URLSearchParams({ client_id: clientId, ...form }).toString(),
    });
  const refresh = (...proofs: string[]) =>
    ask(proofs, { grant_type: 'refresh_token', refresh_token: refreshToken });
  const now = () => Math.floor(Date.now() / 1000);

  it('R-AS-23 R-DP-02 R-DP-03 R-DP-04 R-DP-06 one defect is enough, and the refresh token is not used up by it', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 4_224 });
    const long = await proofMaker('PS256', rsa);
    const good = await made();
    const cases: [string, string[]][] = [
      ['no text', ['']],
      ['no token', ['x.y']],
      ['another type', [await made({}, { typ: 'JWT' })]],
      ['a private key', [await made({}, { jwk: { ...key.jwk, d: 'AAAA' } })]],
      ['a secret key', [await made({}, { jwk: { kty: 'oct', k: 'AAAA' } })]],
      ['a long key', [await made({}, {}, long)]],
      ['another place for the key', [await made({}, { jku: 'https://evil.example/keys' })]],
      ['a long name', [await made({ jti: 'x'.repeat(300) })]],
      ['no name', [await made({ jti: undefined })]],
      ['a long proof', [await made({ more: 'x'.repeat(5_000) })]],
      ['another method', [await made({ htm: 'GET' })]],
      ['another address', [await made({ htu: `${server.issuer}/oauth/par` })]],
      ['another host', [await made({ htu: 'https://evil.example/oauth/token' })]],
      ['too old', [await made({ iat: now() - 90 })]],
      ['from the future', [await made({ iat: now() + 30 })]],
    ];
    for (const [name, proofs] of cases) {
      const { status, json } = await refresh(...proofs);
      expect([name, status, json['error']]).toEqual([name, 400, 'invalid_dpop_proof']);
    }
    // Two lines are refused before anybody looks at what they are.
    for (const two of [
      [good, good],
      [good, await made()],
    ])
      expect((await refresh(...two)).status).toBe(400);
    const answer = await refresh(good);
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([200, 'https://a.example']);
    refreshToken = answer.json['refresh_token']!;
  });

  it('R-AS-23 R-DP-06 a proof is good for one request', async () => {
    const proof = await made({ iat: now() - 50 });
    const first = await refresh(proof);
    expect(first.status).toBe(200);
    refreshToken = first.json['refresh_token']!;
    const again = await refresh(proof);
    expect([again.status, again.json['error']]).toEqual([400, 'invalid_dpop_proof']);
    // The token is still good, with a proof of its own.
    const next = await refresh(await made());
    expect(next.status).toBe(200);
    refreshToken = next.json['refresh_token']!;
  });

  it('R-AS-09 R-AS-23 R-DP-06 of twenty copies of one proof, and of one assertion, one is taken', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const robot = await server.register({
      redirectUris: [],
      scopes: ['users:read'],
      authentication: 'private-key',
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    });
    const signed = () =>
      new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(robot.clientId)
        .setSubject(robot.clientId)
        .setAudience(server.issuer)
        .setIssuedAt()
        .setExpirationTime('60s')
        .sign(privateKey);
    const send20 = (assertions: readonly string[], proofs: readonly string[]) =>
      Promise.all(
        assertions.map((assertion, i) =>
          send<Tokens>(server.port, 'POST', '/oauth/token', {
            headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: proofs[i]! },
            body: new URLSearchParams({
              grant_type: 'client_credentials',
              scope: 'users:read',
              client_assertion: assertion,
              client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            }).toString(),
          }),
        ),
      );
    const many = <T>(make: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, make));
    const taken = (answers: readonly { status: number }[]) => answers.filter(({ status }) => status === 200);
    const [assertion, proof] = [await signed(), await made()];
    const sameAssertion = await send20(
      Array.from({ length: 20 }, () => assertion),
      await many(() => made()),
    );
    expect(taken(sameAssertion)).toHaveLength(1);
    const sameProof = await send20(
      await many(signed),
      Array.from({ length: 20 }, () => proof),
    );
    expect(taken(sameProof)).toHaveLength(1);
  });

  it('R-AS-23 R-DP-03 what resource servers take is taken here', async () => {
    const { json } = await send<{ dpop_signing_alg_values_supported: string[] }>(
      server.port,
      'GET',
      '/.well-known/oauth-authorization-server',
    );
    const { clientId: id, clientSecret } = await server.register({
      redirectUris: [],
      scopes: ['users:read'],
      dpopBound: true,
    });
    const curves: [string, ReturnType<typeof generateKeyPairSync>][] = [
      ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
      ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
      ['PS256', generateKeyPairSync('rsa', { modulusLength: 2_048 })],
      ['EdDSA', generateKeyPairSync('ed25519')],
      ['Ed25519', generateKeyPairSync('ed25519')],
    ];
    expect(json.dpop_signing_alg_values_supported).toEqual(curves.map(([alg]) => alg));
    for (const [alg, pair] of curves) {
      const proof = await made({}, {}, await proofMaker(alg, pair));
      const answer = await send<Tokens>(server.port, 'POST', '/oauth/token', {
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${id}:${clientSecret}`).toString('base64')}`,
          dpop: proof,
        },
        body: 'grant_type=client_credentials&scope=users:read',
      });
      expect([alg, answer.status, answer.json['token_type']]).toEqual([alg, 200, 'DPoP']);
    }
  });
});
