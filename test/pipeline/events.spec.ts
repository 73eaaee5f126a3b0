import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Logger } from '@nestjs/common';
import { SECURITY_EVENTS_CHANNEL, type SecurityEvent, SecurityEvents } from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { accessToken, type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

describe.each(ADAPTERS)('security events on %s', (adapter) => {
  let app: ReferenceApp;
  let events: SecurityEvent[];

  beforeEach(async () => {
    app = await startReferenceApp(adapter, {
      rateLimit: { read: '1000/minute', failedAuthentication: '3/minute' },
    });
    events = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
  });
  afterEach(() => app.close());

  const types = () => events.map(({ type }) => type);
  const until = async (type: SecurityEvent['type']) => {
    await vi.waitFor(() => expect(types()).toContain(type));
    return events.find((event) => event.type === type)!;
  };

  it('R-LG-01 R-LG-02 a failed authentication tells its true cause, the route and the address', async () => {
    const revoked = await app.key();
    await app.keys.revoke(revoked.split('_')[2]!);
    await send(app.port, 'GET', '/items', { headers: { 'x-api-key': revoked } });
    expect(await until('authentication.failed')).toMatchObject({
      reason: 'key.revoked',
      scheme: 'api-key',
      route: 'GET /items',
      address: '127.0.0.1',
      method: 'GET',
    });
    await send(app.port, 'GET', '/items', {
      headers: { authorization: `Bearer ${await accessToken({ exp: 1, iat: 0 })}` },
    });
    expect(events.filter(({ type }) => type === 'authentication.failed')).toHaveLength(2);
  });

  it('R-LG-01 limits, scopes, bad input and good logins have their events', async () => {
    const key = await app.key(['items:read']);
    const headers = { 'x-api-key': key };
    await send(app.port, 'GET', '/items', { headers });
    await send(app.port, 'POST', '/items', { headers, json: {} });
    await send(app.port, 'GET', '/items?evil=1', { headers });
    await send(app.port, 'POST', '/public', { body: '{', headers: { 'content-type': 'application/json' } });
    for (let i = 0; i < 4; i++)
      await send(app.port, 'GET', '/items', { headers: { 'x-api-key': `bad${i}` } });
    expect(types()).toEqual(
      expect.arrayContaining([
        'authentication.succeeded',
        'authorization.denied',
        'validation.rejected',
        'request.malformed',
        'rate-limit.exceeded',
      ]),
    );
    expect(await until('authorization.denied')).toMatchObject({
      reason: 'scope.missing',
      principal: expect.stringMatching(/^api-key:/) as string,
    });
    expect(await until('rate-limit.exceeded')).toMatchObject({ layer: 'authentication' });
    expect(await until('validation.rejected')).toMatchObject({ code: 'UNEXPECTED_FIELDS', paths: ['evil'] });
  });

  it('R-AK-16 R-AU-06 a genuine key in a URL is reported, by its id alone', async () => {
    const key = await app.key();
    expect((await send(app.port, 'GET', `/items?api_key=${key}`)).status).toBe(400);
    const exposed = await until('api-key.exposed');
    expect(exposed).toMatchObject({ keyId: key.split('_')[2], reason: 'url', revoked: false });
    expect(JSON.stringify(events)).not.toContain(key);
  });

  it('every event is published on the diagnostics channel too', async () => {
    // The channel is the process's: other applications of this test run may speak on it too.
    const seen: unknown[] = [];
    const ours = new Set<unknown>();
    const listener = (event: unknown) => void seen.push(event);
    app.app.get(SecurityEvents).stream.subscribe((event) => ours.add(event));
    subscribe(SECURITY_EVENTS_CHANNEL, listener);
    await send(app.port, 'GET', '/items');
    unsubscribe(SECURITY_EVENTS_CHANNEL, listener);
    expect(ours.size).toBeGreaterThan(0);
    expect(seen.filter((event) => ours.has(event))).toEqual([
      expect.objectContaining({ type: 'authentication.failed', reason: 'missing' }),
    ]);
    expect([...ours].every((event) => Object.isFrozen(event))).toBe(true);
  });

  it('R-LG-05 a subscriber that throws changes no answer', async () => {
    app.app.get(SecurityEvents).stream.subscribe({
      next: () => {
        throw new Error('listener');
      },
      error: () => undefined,
    });
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    process.once('uncaughtException', onError);
    expect((await send(app.port, 'GET', '/items')).status).toBe(401);
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    process.off('uncaughtException', onError);
  });
});

describe.each(ADAPTERS)('keys over plain HTTP on %s', (adapter) => {
  it('CONTRACT-5 R-TL-09 R-TL-10 R-TL-11 are reported and by option revoked, five at most, and the answer never tells', async () => {
    const app = await startReferenceApp(adapter, { https: 'reject', apiKeys: { onPlaintext: 'revoke' } });
    const events: SecurityEvent[] = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    const keys = await Promise.all(Array.from({ length: 6 }, () => app.key()));
    const answers = [];
    for (const key of [...keys, 'sk_live_nobody']) {
      answers.push(await send(app.port, 'GET', '/items', { headers: { 'x-api-key': key } }));
    }
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'api-key.exposed')).toHaveLength(6));
    const exposed = events.filter((event) => event.type === 'api-key.exposed');
    expect(exposed.filter(({ revoked }) => revoked)).toHaveLength(5);
    expect(events.filter(({ type }) => type === 'api-key.revocation-stopped')).toHaveLength(1);
    const standing = await Promise.all(keys.map((key) => app.keys.get(key.split('_')[2]!)));
    expect(standing.filter((info) => info?.revokedAt !== undefined)).toHaveLength(5);
    expect(standing.every((info) => info?.exposure === 'plaintext')).toBe(true);
    await app.close();
  });
});

describe('the default logger', () => {
  it('R-LG-03 R-LG-04 R-LG-08 prints one line a failure, without secrets, and damps repeats', async () => {
    const lines: string[] = [];
    const warn = vi
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((line: unknown) => void lines.push(String(line)));
    const app = await startReferenceApp('express', { logger: true });
    const key = await app.key();
    for (let i = 0; i < 50; i++)
      await send(app.port, 'GET', '/items', { headers: { 'x-api-key': `${key}x` } });
    await app.close();
    warn.mockRestore();
    const failures = lines.filter((line) => line.includes('authentication.failed'));
    expect(failures.length).toBeLessThanOrEqual(2);
    expect(lines.join('\n')).not.toContain(key);
    for (const line of lines) {
      expect(line).not.toMatch(/[\r\n]/);
      expect(JSON.parse(line)).toHaveProperty('type');
    }
    expect(lines.some((line) => line.includes('"count":49'))).toBe(true);
  });
});
