import { once } from 'node:events';
import { connect } from 'node:net';

import { SecurityEvents } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { rawConnection } from '../support/raw-http.js';
import { type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

const head = (length: number, credential = '') =>
  `POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${credential}Content-Length: ${length}\r\n\r\n`;

describe.each(ADAPTERS)('a refused request whose body nobody reads, on %s', (adapter) => {
  let app: ReferenceApp;
  afterEach(() => app.close());

  it('R-HP-12 R-RL-24 its answer arrives though the client sends on: refused by the guard, for its size, and by the limit of its address', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { address: '40/minute' } });
    const key = `X-API-Key: ${await app.key()}\r\n`;
    const body = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 0x20));
    const statuses: (number | undefined)[] = [];
    for (let round = 0; round < 60; round++) {
      const pieces = [head(4_194_304, round % 2 === 0 ? key : ''), ...body];
      const { responses } = await rawConnection(app.port, pieces, { pauseMs: 0 });
      statuses.push(responses[0]?.status);
    }
    const expected = Array.from({ length: 60 }, (_, i) => (i >= 40 ? 429 : i % 2 === 0 ? 413 : 401));
    expect(statuses).toEqual(expected);
  });

  it('R-HP-12 all that it sends is read, and what follows the body is not taken for a request', async () => {
    app = await startReferenceApp(adapter);
    const events: unknown[] = [];
    app.app.get(SecurityEvents).stream.subscribe(({ type }) => events.push(type));
    const socket = connect({ port: app.port, host: '127.0.0.1', allowHalfOpen: true });
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.write(head(33_554_432));
    await once(socket, 'end');
    socket.write(Buffer.alloc(33_554_432, 0x20));
    socket.end('GET /items HTTP/1.1\r\nHost: localhost\r\n\r\nno HTTP\r\n\r\n'.repeat(3));
    await once(socket, 'close');
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 401']);
    expect(errors).toEqual([]);
    expect(events).toEqual(['authentication.failed']);
  });

  it('R-HP-12 what is left of a body that grew too large while it was read is read to its end', async () => {
    app = await startReferenceApp(adapter);
    const socket = connect({ port: app.port, host: '127.0.0.1', allowHalfOpen: true });
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x20), Buffer.from('\r\n')]);
    socket.write(
      'POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        `X-API-Key: ${await app.key()}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let i = 0; i < 512; i++) socket.write(chunk);
    socket.end('0\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(errors).toEqual([]);
  });

  it('R-HP-12 a client that never ends is cut off', async () => {
    app = await startReferenceApp(adapter);
    const started = performance.now();
    const socket = connect({ port: app.port, host: '127.0.0.1', allowHalfOpen: true });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(head(10_000_000));
    const sending = setInterval(() => socket.write(' '), 50);
    await closed;
    clearInterval(sending);
    expect(performance.now() - started).toBeGreaterThan(500);
  });
});
