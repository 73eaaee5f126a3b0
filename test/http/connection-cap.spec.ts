import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type NetConnectOpts, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Get } from '@nestjs/common';
import { Public, SecurityEvents, type SecurityEvent, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { capConnections, type ConnectionPeers } from '../../lib/http/connection-cap.js';
import { ADAPTERS, closeApps, type Adapter } from '../support/bare-app.js';
import { startSecured } from '../support/secured-app.js';

const GET = 'GET /open HTTP/1.1\r\nHost: a\r\n\r\n';

@Controller()
@Public()
class OpenController {
  @Get('open')
  open(): object {
    return {};
  }
}

/** Opens a connection and asks once. @returns whether there was an answer */
function isServed(options: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(options);
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve(false));
    socket.on('connect', () => socket.write(GET));
    socket.once('data', () => resolve(true));
  });
}

const servedOf = async (options: NetConnectOpts, count: number): Promise<number> =>
  (await Promise.all(Array.from({ length: count }, () => isServed(options)))).filter(Boolean).length;

async function start(
  adapter: Adapter,
  options: SecurityOptions,
  trustProxy?: string,
): Promise<{ port: number; events: SecurityEvent[] }> {
  const unlimited = { read: false, write: false, address: false } as const;
  const { app, port } = await startSecured(
    adapter,
    { rateLimit: unlimited, ...options },
    { controllers: [OpenController] },
    { forceCloseConnections: true, ...(trustProxy === undefined ? {} : { trustProxy }) },
  );
  const events: SecurityEvent[] = [];
  app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
  return { port, events };
}

afterEach(closeApps);

describe.each(ADAPTERS)('connections of one address on %s', (adapter) => {
  it('R-HP-11 of 150 connections 50 are closed, others are served', async () => {
    const { port, events } = await start(adapter, { http: { maxConnectionsPerAddress: 100 } });
    expect(await servedOf({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }, 150)).toBe(100);
    expect(await servedOf({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }, 10)).toBe(10);
    expect(events.filter(({ type }) => type === 'transport.rejected')).toMatchObject([
      { reason: 'connections.too-many', address: '127.0.0.2' },
    ]);
  });

  it('R-HP-11 a trusted proxy has any number, whether it is named by address or as a hop', async () => {
    const http = { maxConnectionsPerAddress: 2 };
    const named = await start(adapter, { http }, '127.0.0.2');
    expect(await servedOf({ port: named.port, host: '127.0.0.1', localAddress: '127.0.0.2' }, 10)).toBe(10);
    expect(await servedOf({ port: named.port, host: '127.0.0.1', localAddress: '127.0.0.3' }, 10)).toBe(2);
    const hop = await start(adapter, { http, proxy: { trust: 1 } });
    expect(await servedOf({ port: hop.port, host: '127.0.0.1' }, 10)).toBe(10);
  });

  it('R-HP-11 by default a private address has any number: a proxy may stand there', async () => {
    const { port } = await start(adapter, {});
    expect(await servedOf({ port, host: '127.0.0.1' }, 150)).toBe(150);
  });

  it('R-HP-11 the cap can be switched off', async () => {
    const { port } = await start(adapter, { http: { maxConnectionsPerAddress: false } });
    expect(await servedOf({ port, host: '127.0.0.1' }, 110)).toBe(110);
  });
});

/** A connection as from this address, which no test can have. */
function connectionFrom(server: Server, remoteAddress: string | undefined): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  server.emit('connection', socket);
  return socket;
}

const close = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve()).destroy();
  });

function capped(limit: number, peers: Partial<ConnectionPeers> = {}, strangersOnly = true) {
  const server = createServer();
  const told: string[] = [];
  capConnections(
    server,
    { limit, strangersOnly },
    { isProxy: () => false, onExceeded: (address) => told.push(address), ...peers },
  );
  const from = (address: string | undefined, count: number) =>
    Array.from({ length: count }, () => connectionFrom(server, address));
  const openOf = (address: string | undefined, count: number) =>
    from(address, count).filter(({ destroyed }) => !destroyed).length;
  return { from, openOf, told };
}

describe('the cap on connections', () => {
  it.each(['203.0.113.9', '::ffff:203.0.113.9', '2001:db8::1', '172.32.0.1', '100.128.0.1', '192.169.0.1'])(
    'R-HP-11 counts the stranger %s',
    (address) => {
      expect(capped(3).openOf(address, 5)).toBe(3);
    },
  );

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
  ])('R-HP-11 counts %s only where the cap is for everybody', (address) => {
    expect(capped(3).openOf(address, 5)).toBe(5);
    expect(capped(3, {}, false).openOf(address, 5)).toBe(3);
  });

  it('R-HP-11 R-RL-08 counts the addresses of one IPv6 network together, by the prefix that limits use', () => {
    const { openOf } = capped(2);
    expect(openOf('2001:db8:1:1::1', 2)).toBe(2);
    expect(openOf('2001:db8:1:1::2', 1)).toBe(0);
    expect(openOf('2001:db8:1:2::1', 1)).toBe(1);
    const wide = capped(2, { ipv6Prefix: 48 });
    expect([wide.openOf('2001:db8:1:1::1', 2), wide.openOf('2001:db8:1:2::1', 1)]).toEqual([2, 0]);
  });

  it('R-HP-11 asks about proxies by their addresses, in one spelling', () => {
    const asked: string[] = [];
    const isProxy = (address: string) => asked.push(address) > 0;
    expect(capped(1, { isProxy }).openOf('2001:DB8:0::1', 3)).toBe(3);
    expect(capped(1, { isProxy }).openOf('::ffff:203.0.113.9', 1)).toBe(1);
    expect([...new Set(asked)]).toEqual(['2001:db8::1', '203.0.113.9']);
  });

  it('R-HP-11 gives a place back when a connection ends, and tells once of an address until then', async () => {
    const { from, openOf, told } = capped(2);
    const [first] = from('203.0.113.9', 2);
    expect(openOf('203.0.113.9', 5)).toBe(0);
    expect(told).toEqual(['203.0.113.9']);
    await close(first!);
    expect(openOf('203.0.113.9', 2)).toBe(1);
    expect(told).toEqual(['203.0.113.9', '203.0.113.9']);
  });

  it('R-HP-11 counts nobody on a socket of the file system, where a proxy stands', async () => {
    const server = createServer((_request, response) => void response.end());
    capConnections(server, { limit: 1, strangersOnly: false }, { isProxy: () => false });
    const folder = mkdtempSync(join(tmpdir(), 'connection-cap-'));
    const path = join(folder, 'server.sock');
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    expect(await servedOf({ path }, 5)).toBe(5);
  });
});
