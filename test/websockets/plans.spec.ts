import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Public, type RateLimitOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { openGateway } from './gateways.js';
import { SOCKETS, type SocketApp, startSockets } from './socket-app.js';
import type { SocketClient } from './socket-client.js';

describe.each(SOCKETS)('plans and shared places of %s on %s', (...socket) => {
  let app: SocketApp;
  afterEach(() => app.close());

  const headersOn = async (limits: string) => ({
    'x-api-key': (await app.keys.issue({ owner: 'o', name: 'n', scopes: [], limits })).key,
  });
  const start = async (plan: NonNullable<RateLimitOptions['plans']>[string]) => {
    app = await startSockets(socket, { security: { rateLimit: { plans: { plan } } } });
  };
  const ask = async (client: SocketClient) => {
    client.send('whoami');
    return (await client.next()).event;
  };

  it('R-RL-23 the connections of a plan are counted, and the messages on them are none', async () => {
    await start(['100/minute', { limit: 2, algorithm: 'concurrency' }]);
    const headers = await headersOn('plan');
    const first = await app.connect('chat', { headers });
    const second = await app.connect('chat', { headers });
    for (let i = 0; i < 4; i++) expect(await ask(first)).toBe('you');
    await expect(app.connect('chat', { headers })).rejects.toThrow('refused with');
    second.close();
    await second.closed;
    await expect
      .poll(async () =>
        app.connect('chat', { headers }).then(
          () => 'open',
          () => 'refused',
        ),
      )
      .toBe('open');
  });

  it('R-RL-23 a connection lasts no longer than its place in a plan', async () => {
    await start(['100/minute', { limit: 1, algorithm: 'concurrency', window: '1s' }]);
    const client = await app.connect('chat', { headers: await headersOn('plan') });
    expect(await client.closed).toMatch(/EXPIRED|io server disconnect/);
  });

  it('a plan that counts one outcome counts every connection and message', async () => {
    await start({ limit: 3, window: '1m', countOnly: 'failures' });
    const client = await app.connect('chat', { headers: await headersOn('plan') });
    expect([await ask(client), await ask(client), await ask(client)]).toEqual(['you', 'you', 'exception']);
  });

  it('R-RL-14 gateways that share a place and a limit charge it once', async () => {
    const place = socket[0] === 'ws' ? { path: '/open' } : { namespace: 'open' };
    @Public()
    @WebSocketGateway(place)
    class Beside {
      @SubscribeMessage('beside') beside(@ConnectedSocket() _socket: object) {
        return { event: 'beside', data: true };
      }
    }
    app = await startSockets(socket, {
      gateways: [openGateway(place), Beside],
      security: { rateLimit: { read: '2/minute' } },
    });
    await app.connect('open');
    await app.connect('open');
    await expect(app.connect('open')).rejects.toThrow('refused with');
  });
});
