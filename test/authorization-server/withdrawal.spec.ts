import { MemoryTokenStore, type TokenStore } from 'nestjs-api-security';
import { ApplicationsService } from 'nestjs-api-security/authorization-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

describe.each(ADAPTERS)('R-AS-13 access that cannot be ended now can be ended later, on %s', (adapter) => {
  let server: ServerApp;
  let applications: ApplicationsService;
  let down = false;
  let revoked: string[] = [];
  beforeAll(async () => {
    const memory = new MemoryTokenStore();
    const store = new Proxy(memory, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        if (name !== 'revoke') return (member as () => unknown).bind(target);
        return (revocation: Parameters<TokenStore['revoke']>[0]) => {
          if (down) return Promise.reject(new Error('gone'));
          revoked.push(revocation.name);
          return target.revoke(revocation);
        };
      },
    });
    server = await startServer(adapter, {}, { tokens: { store } });
    applications = server.app.get(ApplicationsService, { strict: false });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    [down, revoked] = [false, []];
  });

  const connect = async (input?: Parameters<ServerApp['register']>[0]) => {
    const client = await server.register(input);
    const proof = pkce();
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    const back = await authorize(new Visitor(server.port, server.issuer), url, ALICE);
    const code = back.searchParams.get('code') ?? '';
    const token = (form: Record<string, string>) =>
      send<Record<string, string>>(server.port, 'POST', '/oauth/token', {
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
        },
        body: new URLSearchParams(form).toString(),
      });
    const exchange = () =>
      token({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        code_verifier: proof.verifier,
      });
    const refresh = (refreshToken: string) =>
      token({ grant_type: 'refresh_token', refresh_token: refreshToken });
    const grant = async () =>
      (await applications.list(ALICE.id)).find(({ clientId }) => clientId === client.clientId)?.id;
    return { client, exchange, refresh, grant };
  };

  it('R-AS-13 R-JW-22 a withdrawal that fails leaves what can be withdrawn again', async () => {
    const { exchange, refresh, grant } = await connect();
    const { json } = await exchange();
    const id = (await grant())!;
    down = true;
    await expect(applications.withdraw(ALICE.id, id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await grant()).toBe(id);
    down = false;
    expect(await applications.withdraw(ALICE.id, id)).toBe(true);
    expect([await grant(), revoked]).toEqual([undefined, [id]]);
    expect((await refresh(json['refresh_token']!)).json['error']).toBe('invalid_grant');
  });

  it('R-AS-06 R-JW-22 a replay that cannot be followed up is followed up when it comes again', async () => {
    const { exchange, refresh, grant } = await connect();
    const { json } = await exchange();
    const id = (await grant())!;
    down = true;
    expect((await exchange()).status).toBe(503);
    down = false;
    const again = await exchange();
    expect([again.status, again.json['error'], revoked]).toEqual([400, 'invalid_grant', [id]]);
    expect((await refresh(json['refresh_token']!)).json['error']).toBe('invalid_grant');
  });

  it('R-AS-11 what is taken from a client is taken from what it was given, with the next token', async () => {
    const { client, exchange, refresh } = await connect();
    const { json } = await exchange();
    expect(json['scope']).toBe('users:read users:write');
    await server.clients.update(client.clientId, { scopes: ['users:read'] });
    const next = await refresh(json['refresh_token']!);
    expect([next.status, next.json['scope']]).toEqual([200, 'users:read']);
    expect(await server.clients.update('client_nobody', { name: 'x' })).toBeUndefined();
  });

  it('R-AS-13 R-AS-16 nobody comes into what was allowed to a client that is gone', async () => {
    const { client } = await connect({ clientId: 'client_gone' });
    expect(await server.clients.remove(client.clientId)).toBe(true);
    expect(await server.clients.remove(client.clientId)).toBe(false);
    await expect(server.register({ clientId: client.clientId })).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
