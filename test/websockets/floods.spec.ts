import { setTimeout as sleep } from 'node:timers/promises';

import {
  ConnectedSocket,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { Public } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { openGateway } from './gateways.js';
import { SOCKETS, type SocketApp, startSockets } from './socket-app.js';

/** Frames as they stand on the wire, for what no client library sends. */
describe.each(SOCKETS)('floods against %s on %s', (...socket) => {
  const native = socket[0] === 'ws';
  const at = (name: string) => (native ? { path: `/${name}` } : { namespace: name });
  let app: SocketApp;
  afterEach(() => app.close());

  const open = async (): Promise<{ client: WebSocket; closed: Promise<unknown> }> => {
    const path = native ? 'open' : 'socket.io/?EIO=4&transport=websocket';
    const client = new WebSocket(`ws://127.0.0.1:${app.port}/${path}`);
    const closed = new Promise((resolve) => client.once('close', resolve));
    await new Promise((resolve) => client.once(native ? 'open' : 'message', resolve));
    if (!native) await join(client, 'open');
    return { client, closed };
  };
  const join = async (client: WebSocket, namespace: string) => {
    const joined = new Promise((resolve) => client.once('message', resolve));
    client.send(`40/${namespace},`);
    await joined;
  };
  const event = (name: string) => (native ? JSON.stringify({ event: name }) : `42/open,["${name}"]`);

  it('R-RL-23 frames that are no messages count too', async () => {
    app = await startSockets(socket, { sockets: { maxMessagesPerSecond: 20 } });
    const { client, closed } = await open();
    // Heartbeats of RFC 6455 on one library, acknowledgements of nothing on the other.
    for (let i = 0; i < 100; i++) {
      if (native) client.ping();
      else client.send('43/open,7[]');
    }
    await expect(closed).resolves.toBe(native ? 1_008 : 1_005);
  });

  it('R-RL-23 who asks on and reads no answers is ended before these fill the memory', async () => {
    const ended: true[] = [];
    @Public()
    @WebSocketGateway(at('open'))
    class Large implements OnGatewayDisconnect {
      handleDisconnect() {
        ended.push(true);
      }

      @SubscribeMessage('large') large(@ConnectedSocket() _socket: object) {
        return { event: 'large', data: 'x'.repeat(1_048_576) };
      }
    }
    app = await startSockets(socket, { gateways: [Large] });
    const { client, closed } = await open();
    client.pause();
    for (let sent = 0; sent < 55 && ended.length === 0; sent++) {
      client.send(event('large'));
      await sleep(10);
    }
    expect(ended).toEqual([true]);
    client.terminate();
    await closed;
  });

  // Others have none.
  it.each(native ? [] : ['socket.io'])(
    'R-RL-23 all namespaces of a client of %s count together',
    async () => {
      app = await startSockets(socket, {
        gateways: [openGateway(at('open')), openGateway(at('beside'))],
        sockets: { maxMessagesPerSecond: 20 },
      });
      const { client, closed } = await open();
      await join(client, 'beside');
      // Each namespace alone stays below the limit; a second may end between the frames of one round.
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 15; i++) {
          client.send('42/open,["hello"]');
          client.send('42/beside,["hello"]');
        }
        if ((await Promise.race([closed, sleep(1_100)])) !== undefined) break;
      }
      await expect(closed).resolves.toBe(1_005);
    },
  );
});
