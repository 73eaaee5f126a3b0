import { afterEach, describe, expect, it } from 'vitest';

import { accessToken } from '../support/reference-app.js';
import { send } from '../support/http-client.js';
import { crowdedGateway } from './gateways.js';
import { Refused } from './socket-client.js';
import { SOCKETS, type SocketApp, startSockets } from './socket-app.js';

async function refusalOf(connecting: Promise<{ close(): void }>): Promise<Refused | undefined> {
  try {
    (await connecting).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error;
  }
}

const codeOf = (refused: Refused | undefined) =>
  (refused?.body as { error?: { code?: string } })?.error?.code;

describe.each(SOCKETS)('handshakes of %s on %s', (...socket) => {
  const native = socket[0] === 'ws';
  let app: SocketApp;
  afterEach(() => app.close());

  it('R-AZ-06 R-HP-09 needs the credential that the gateway demands', async () => {
    app = await startSockets(socket);
    const refused = await refusalOf(app.connect('chat'));
    expect(codeOf(refused)).toBe('UNAUTHENTICATED');
    if (native) {
      expect(refused?.status).toBe(401);
      expect(refused?.headers['www-authenticate']).toContain('Api-Key');
      expect(refused?.headers['x-content-type-options']).toBe('nosniff');
    }
    const client = await app.connect('chat', { headers: { 'x-api-key': await app.key() } });
    client.send('whoami');
    expect((await client.next()).event).toBe('you');
    const open = await app.connect('open');
    open.send('hello');
    expect(await open.next()).toEqual({ event: 'hello', data: 'world' });
  });

  it('R-AU-12 refuses a bad credential by status, whatever it is for', async () => {
    app = await startSockets(socket);
    for (const place of ['chat', 'open']) {
      const refused = await refusalOf(app.connect(place, { headers: { authorization: 'Bearer nonsense' } }));
      expect(refused?.status).toBe(401);
    }
  });

  it('has nothing behind a path or namespace that is no gateway', async () => {
    app = await startSockets(socket);
    await expect(app.connect('nowhere')).rejects.toThrow(/hang up|refused/);
    if (!native) expect(codeOf(await refusalOf(app.connect('')))).toBe('NOT_FOUND');
  });

  it('R-TL-14 lets pages of its own host and of listed origins connect, and no others', async () => {
    app = await startSockets(socket, { sockets: { origins: ['https://app.example.com'] } });
    const from = (origin: string) => refusalOf(app.connect('open', { headers: { origin } }));
    expect(await from(`http://127.0.0.1:${app.port}`)).toBeUndefined();
    expect(await from('https://app.example.com')).toBeUndefined();
    for (const origin of [
      'https://evil.example.com',
      'https://app.example.com.evil.example',
      `http://127.0.0.1:${app.port + 1}`,
      'null',
    ])
      expect((await from(origin))?.status, origin).toBe(403);
  });

  it('takes a credential that a browser can send, and repeats it nowhere', async () => {
    app = await startSockets(socket);
    const key = await app.key();
    if (native) {
      const client = await app.connect('chat', { protocols: [`api-key.${key}`, 'chat.v1'] });
      expect(client.protocol).toBe('chat.v1');
      client.send('whoami');
      expect((await client.next()).event).toBe('you');
      const token = await app.connect('chat', { protocols: ['chat.v1', `bearer.${await accessToken()}`] });
      token.send('whoami');
      expect(await token.next()).toEqual({ event: 'you', data: 'user-1' });
      const alone = await refusalOf(app.connect('chat', { protocols: [`api-key.${key}`] }));
      expect([alone?.status, codeOf(alone)]).toEqual([400, 'INVALID_REQUEST']);
      const bad = await refusalOf(app.connect('chat', { protocols: ['bearer.nonsense', 'chat.v1'] }));
      expect(bad?.status).toBe(401);
    } else {
      for (const auth of [{ token: await accessToken() }, { authorization: `Api-Key ${key}` }]) {
        const client = await app.connect('chat', { auth });
        client.send('whoami');
        expect((await client.next()).event).toBe('you');
      }
      for (const [auth, code] of [
        [{ token: 'nonsense' }, 'UNAUTHENTICATED'],
        [{ token: 'a', authorization: 'Bearer b' }, 'INVALID_REQUEST'],
        [{ authorization: { toString: 1 } }, 'INVALID_REQUEST'],
        [{ other: 1 }, 'UNAUTHENTICATED'],
      ] as const)
        expect(codeOf(await refusalOf(app.connect('chat', { auth })))).toBe(code);
    }
  });

  it('R-AU-04 refuses two credentials, and one in the URL', async () => {
    app = await startSockets(socket);
    const key = await app.key();
    const headers = { 'x-api-key': key };
    const both = native
      ? app.connect('chat', { headers, protocols: ['chat.v1', `api-key.${key}`] })
      : app.connect('chat', { headers, auth: { authorization: `Api-Key ${key}` } });
    expect(codeOf(await refusalOf(both))).toBe('INVALID_REQUEST');
    if (native) expect((await refusalOf(app.connect(`chat?api_key=${key}`)))?.status).toBe(400);
  });

  it('R-TL-14 HTTPS and the limit by address hold for upgrades', async () => {
    app = await startSockets(socket, { security: { https: 'reject', production: true } });
    expect((await refusalOf(app.connect('open')))?.status).toBe(403);
    await app.close();
    app = await startSockets(socket, { security: { rateLimit: { address: '2/minute' } } });
    const outcomes = [];
    for (let i = 0; i < 3; i++) outcomes.push((await refusalOf(app.connect('open')))?.status);
    expect(outcomes).toEqual([undefined, undefined, 429]);
  });

  it('R-AK-12 counts failed attempts of handshakes', async () => {
    app = await startSockets(socket, { security: { rateLimit: { failedAuthentication: '2/minute' } } });
    const outcomes = [];
    for (let i = 0; i < 4; i++) {
      const refused = await refusalOf(app.connect('chat', { headers: { 'x-api-key': `nonsense${i}` } }));
      outcomes.push(refused?.status);
    }
    expect(outcomes).toEqual([401, 401, 429, 429]);
  });

  it('R-RL-23 a caller has so many connections at once, and gets a place back with each that ends', async () => {
    app = await startSockets(socket);
    const headers = { 'x-api-key': await app.key() };
    const first = await app.connect('crowded', { headers });
    await app.connect('crowded', { headers });
    const refused = await refusalOf(app.connect('crowded', { headers }));
    expect(codeOf(refused)).toBe('RATE_LIMITED');
    if (native) {
      expect(refused?.status).toBe(429);
      expect(refused?.headers['retry-after']).toBe('1');
    }
    const other = { 'x-api-key': await app.key() };
    expect(await refusalOf(app.connect('crowded', { headers: other }))).toBeUndefined();
    first.close();
    await first.closed;
    await expect
      .poll(() => refusalOf(app.connect('crowded', { headers })).then(codeOf), {
        timeout: 3_000,
      })
      .toBeUndefined();
    // A refusal for something else keeps no place.
    for (let i = 0; i < 5; i++) await refusalOf(app.connect('crowded'));
    expect(codeOf(await refusalOf(app.connect('crowded')))).toBe('UNAUTHENTICATED');
  });

  it('a connection lasts no longer than its place is held, so that there are never more than the limit says', async () => {
    const place = native ? { path: '/short' } : { namespace: 'short' };
    app = await startSockets(socket, { gateways: [crowdedGateway(place, '1s')] });
    const client = await app.connect('short', { headers: { 'x-api-key': await app.key() } });
    const started = Date.now();
    expect(await client.closed).toBe(native ? '1008 EXPIRED' : 'io server disconnect');
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it('serves no long polling, and requests beside sockets as before', async () => {
    app = await startSockets(socket);
    const polling = await send(app.port, 'GET', '/socket.io/?EIO=4&transport=polling');
    expect(polling.status).toBe(native ? 404 : 400);
    expect((await send(app.port, 'GET', '/open')).status).toBe(404);
  });
});
