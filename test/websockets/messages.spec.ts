import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { type SecurityEvent, SecurityEvents } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { accessToken } from '../support/reference-app.js';
import type { SocketClient } from './socket-client.js';
import { SOCKETS, type SocketApp, startSockets } from './socket-app.js';

const GOOD = { text: 'hi', room: 1 };

describe.each(SOCKETS)('messages of %s on %s', (...socket) => {
  const native = socket[0] === 'ws';
  let app: SocketApp;
  afterEach(() => app.close());

  const open = async (scopes: string[] = []) =>
    app.connect('chat', { headers: { 'x-api-key': await app.key(scopes) } });
  const ask = async (client: SocketClient, event: string, data?: unknown) => {
    client.send(event, data);
    const { event: answered, data: answer } = await client.next();
    return answered === 'exception' ? (answer as { error: { code: string } }).error.code : answered;
  };

  it('R-AZ-06 each handler has the policy of its decorators', async () => {
    app = await startSockets(socket);
    const bare = await open();
    expect(await ask(bare, 'say', GOOD)).toBe('said');
    expect(await ask(bare, 'scoped', GOOD)).toBe('INSUFFICIENT_SCOPE');
    expect(await ask(bare, 'admin')).toBe('FORBIDDEN');
    expect(await ask(await open(['chat:write']), 'scoped', GOOD)).toBe('scoped');
    const token = await accessToken({ roles: ['admin'] });
    const admin = await app.connect('chat', { headers: { authorization: `Bearer ${token}` } });
    expect(await ask(admin, 'admin')).toBe('admin');
  });

  it('R-IV-11 messages are validated like bodies, and errors are the envelope', async () => {
    app = await startSockets(socket);
    const client = await open();
    expect(await ask(client, 'say', { ...GOOD, admin: true })).toBe('UNEXPECTED_FIELDS');
    expect(await ask(client, 'say', 'text')).toBe('VALIDATION_FAILED');
    client.send('say', { text: '', room: 12 });
    const { data } = await client.next();
    expect(data).toEqual({
      error: {
        code: 'VALIDATION_FAILED',
        message: 'Validation failed',
        details: [
          { path: 'text', rule: 'isLength', message: expect.any(String) as unknown },
          { path: 'room', rule: 'max', message: expect.any(String) as unknown },
        ],
      },
      event: 'say',
    });
    client.send('boom');
    expect((await client.next()).data).toEqual({
      error: { code: 'INTERNAL_ERROR', message: 'Internal Server Error' },
      event: 'boom',
    });
    client.send('own');
    expect((await client.next()).data).toEqual({
      error: { code: 'BAD_REQUEST', message: 'Room is full' },
      event: 'own',
    });
    expect(await ask(client, 'say', GOOD)).toBe('said');
  });

  it('R-RL-14 messages are charged with their cost, by principal and not by connection', async () => {
    app = await startSockets(socket);
    const headers = { 'x-api-key': await app.key() };
    const [one, two] = [await app.connect('chat', { headers }), await app.connect('chat', { headers })];
    expect([await ask(one, 'limited'), await ask(two, 'limited')]).toEqual(['limited', 'limited']);
    one.send('limited');
    const { data } = await one.next();
    expect(data).toMatchObject({
      error: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) as unknown },
    });
    expect(await ask(await open(), 'limited')).toBe('limited');
  });

  it('messages share the default limit of writes with requests', async () => {
    app = await startSockets(socket, { security: { rateLimit: { write: '2/minute' } } });
    const client = await open();
    expect(await ask(client, 'say', GOOD)).toBe('said');
    expect(await ask(client, 'whoami')).toBe('you');
    expect(await ask(client, 'say', GOOD)).toBe('RATE_LIMITED');
  });

  it('R-AK-10 a key that is revoked ends the connection at the next message', async () => {
    app = await startSockets(socket);
    const issued = await app.keys.issue({ owner: 'o', name: 'n', scopes: [] });
    const client = await app.connect('chat', { headers: { 'x-api-key': issued.key } });
    expect(await ask(client, 'say', GOOD)).toBe('said');
    await app.keys.revoke(issued.id);
    expect(await ask(client, 'say', GOOD)).toBe('UNAUTHENTICATED');
    expect(await client.closed).toBe(native ? '1008 UNAUTHENTICATED' : 'io server disconnect');
  });

  it('a token that expires ends a silent connection within the interval', async () => {
    app = await startSockets(socket, { sockets: { recheckEvery: '1s' } });
    const now = Math.floor(Date.now() / 1_000);
    // Behind its expiry a token is good for as long as clocks may differ.
    const token = await accessToken({ iat: now - 60, exp: now - 27 });
    const client = await app.connect('chat', { headers: { authorization: `Bearer ${token}` } });
    const started = Date.now();
    await client.closed;
    expect(Date.now() - started).toBeLessThan(8_000);
  }, 15_000);

  it('R-LG-01 events name the handler', async () => {
    app = await startSockets(socket);
    const events: SecurityEvent[] = [];
    const client = await open();
    app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    await ask(client, 'admin');
    expect(events.find(({ type }) => type === 'authorization.denied')?.route).toBe('WS /chat admin');
  });

  it('R-IV-05 refuses what is no message, and goes on', async () => {
    app = await startSockets(socket);
    const client = await open();
    const refusals: [unknown[], string][] = native
      ? [
          [['{'], 'MALFORMED_REQUEST'],
          [['"say"'], 'MALFORMED_REQUEST'],
          [['{"event":"say","data":1,"more":2}'], 'MALFORMED_REQUEST'],
          [['{"event":"say","event":"admin"}'], 'MALFORMED_REQUEST'],
          [['{"event":"say","data":{"__proto__":{}}}'], 'MALFORMED_REQUEST'],
          [[`{"event":"say","data":${'['.repeat(60)}${']'.repeat(60)}}`], 'PAYLOAD_TOO_COMPLEX'],
          [[Buffer.from('{"event":"whoami"}')], 'MALFORMED_REQUEST'],
        ]
      : [
          [['say', GOOD, GOOD], 'MALFORMED_REQUEST'],
          [['say', JSON.parse('{"__proto__":{}}')], 'MALFORMED_REQUEST'],
          [['say', Array.from({ length: 1_001 }, () => 0)], 'PAYLOAD_TOO_COMPLEX'],
          [['say', { a: Buffer.from('b') }], 'MALFORMED_REQUEST'],
        ];
    for (const [args, code] of refusals) {
      client.raw(...args);
      expect((await client.next()).data).toMatchObject({ error: { code } });
    }
    expect(await ask(client, 'say', GOOD)).toBe('said');
  });

  it('ends a connection whose messages are too large or too many', async () => {
    app = await startSockets(socket, { sockets: { maxMessageSize: '1kb', maxMessagesPerSecond: 5 } });
    const large = await open();
    large.send('say', { text: 'x'.repeat(2_000) });
    await large.closed;
    const flood = await open();
    for (let i = 0; i < 20; i++) flood.send('nothing');
    await flood.closed;
    expect(await ask(await open(), 'say', GOOD)).toBe('said');
  });

  it('R-AZ-06 without the module every message is refused', async () => {
    app = await startSockets(socket, { bare: true });
    const client = await app.connect('open');
    client.send('hello');
    expect((await client.next()).event).toBe('exception');
  });
});

describe('gateways', () => {
  it('R-CF-01 tells what contradicts itself in one error', async () => {
    @WebSocketGateway(8_123, { path: '/own' })
    class Own {
      @SubscribeMessage('raw') raw(_client: object, _data: object) {}
      @SubscribeMessage('any') any(@MessageBody() _data: object) {}
    }
    const sockets = {
      origins: ['example.com'],
      maxMessageSize: 0,
      maxMessagesPerSecond: 0,
      recheckEvery: 1,
      more: 1,
    };
    const starting = startSockets(['ws', 'express'], { gateways: [Own], sockets });
    await expect(starting).rejects.toMatchObject({
      problems: expect.arrayContaining(
        [
          'websocket.own-port',
          'websocket.undeclared-body',
          'validation.undeclared',
          'websocket.origins',
          'websocket.size',
          'websocket.rate',
          'websocket.recheck',
          'websocket.unknown-option',
        ].map((code) => expect.objectContaining({ code }) as unknown),
      ) as unknown,
    });
  });
});
