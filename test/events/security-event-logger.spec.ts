import { Logger } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { SecurityEventContext, SecurityEventMap } from '../../lib/events/security-event.js';
import { SecurityEventLogger, type SecurityEventSink } from '../../lib/events/security-event-logger.js';
import { SecurityEvents } from '../../lib/events/security-events.js';

interface Line {
  readonly type: string;
  readonly event?: string;
  readonly count?: number;
  readonly reason?: string;
  readonly [name: string]: unknown;
}

const CALLER: SecurityEventContext = { method: 'GET', route: 'GET /items', address: '192.0.2.1' };
const START = Date.UTC(2026, 10, 24);

function start(sink?: SecurityEventSink) {
  const clock = { time: START, now: () => clock.time, monotonic: () => clock.time };
  const events = new SecurityEvents(clock);
  const text: string[] = [];
  const logger = new SecurityEventLogger(events, sink ?? ((line) => text.push(line)));
  onTestFinished(() => logger.close());
  const lines = () => text.map((line) => JSON.parse(line) as Line);
  const fail = (reason = 'key.unknown', context: SecurityEventContext = CALLER) =>
    events.emit('authentication.failed', { scheme: 'api-key', reason }, context);
  return { clock, events, logger, lines, fail };
}

/** Every event is in one line: by itself, as a repeat, or as suppressed. */
function counted(lines: readonly Line[]): number {
  return lines.reduce((sum, { count }) => sum + (count ?? 1), 0);
}

describe('the logger of security events', () => {
  it('R-LG-08 prints the first of equal events, and counts the rest', () => {
    const { fail, lines, logger } = start();
    for (let i = 0; i < 50; i++) fail();
    expect(lines()).toEqual([
      {
        type: 'authentication.failed',
        time: new Date(START).toISOString(),
        ...CALLER,
        scheme: 'api-key',
        reason: 'key.unknown',
      },
    ]);
    logger.close();
    expect(lines()[1]).toEqual({
      type: 'log.repeated',
      event: 'authentication.failed',
      since: new Date(START).toISOString(),
      route: 'GET /items',
      address: '192.0.2.1',
      reason: 'key.unknown',
      count: 49,
    });
  });

  it('R-LG-08 another type, route, caller or reason is another event; another credential is not', () => {
    const { fail, events, lines } = start();
    fail();
    fail('key.expired');
    fail('key.unknown', { ...CALLER, address: '192.0.2.2' });
    fail('key.unknown', { ...CALLER, route: 'GET /me' });
    fail('key.unknown', { ...CALLER, principal: 'user:1' });
    fail('key.unknown', { ...CALLER, principal: 'user:1', address: '192.0.2.3' });
    for (let i = 0; i < 9; i++)
      events.emit(
        'authentication.failed',
        { scheme: 'api-key', reason: 'key.unknown', credential: `sk…${i}` },
        CALLER,
      );
    events.emit('request.malformed', { code: '400', reason: 'key.unknown' }, CALLER);
    expect(lines()).toHaveLength(6);
  });

  it('R-LG-08 each minute begins anew', () => {
    const { fail, clock, lines } = start();
    fail();
    fail();
    clock.time += 59_999;
    fail();
    expect(lines()).toHaveLength(1);
    clock.time += 1;
    fail();
    expect(lines().map(({ type, count }) => [type, count])).toEqual([
      ['authentication.failed', undefined],
      ['log.repeated', 2],
      ['authentication.failed', undefined],
    ]);
  });

  it('R-LG-08 a clock that is set back silences nothing', () => {
    const { fail, clock, lines } = start();
    fail();
    clock.time -= 3_600_000;
    fail();
    expect(lines()).toHaveLength(2);
  });

  it.each<[string, (i: number) => [string, SecurityEventContext]]>([
    ['all the same', () => ['key.unknown', CALLER]],
    [
      'each from another address',
      (i) => ['key.unknown', { ...CALLER, address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }],
    ],
    [
      'each of another principal',
      (i) => ['key.unknown', { ...CALLER, principal: `user:${i}`.repeat(1_000) }],
    ],
    ['each for another reason', (i) => [`reason.${i % 977}`, { ...CALLER, address: `a${i % 1_009}` }]],
  ])('R-LG-08 a flood of 100 000 failures is at most 100 records that add up: %s', (_, make) => {
    const { fail, lines, logger } = start();
    for (let i = 0; i < 100_000; i++) fail(...make(i));
    logger.close();
    expect(lines().length).toBeLessThanOrEqual(100);
    expect(counted(lines())).toBe(100_000);
  });

  it('R-LG-08 a flood of everything is at most 100 records, and does not hide what is rare', () => {
    const { events, lines, logger } = start();
    const payloads: Partial<SecurityEventMap> = {
      'authentication.failed': { scheme: 'jwt', reason: 'token.expired' },
      'authorization.denied': { reason: 'scope.missing' },
      'rate-limit.exceeded': { limit: 'read', layer: 'address', retryAfter: 1 },
      'validation.rejected': { code: 'VALIDATION_FAILED', paths: ['a'] },
      'request.malformed': { code: '400', reason: 'x' },
      'transport.rejected': { reason: 'plain-http' },
    };
    for (let i = 0; i < 200; i++) {
      for (const [type, payload] of Object.entries(payloads))
        events.emit(type as 'transport.rejected', payload as never, { address: `10.0.0.${i}` });
    }
    for (let i = 0; i < 30; i++) {
      events.emit('token.reuse-detected', { subject: 'ada', session: `s${i}` });
      events.emit('store.failed', { store: `store${i}`, message: 'down' });
    }
    events.emit('error.unhandled', { name: 'TypeError', message: 'x', stack: undefined });
    logger.close();
    expect(lines().length).toBeLessThanOrEqual(100);
    expect(counted(lines())).toBe(6 * 200 + 61);
    expect(lines().some(({ type }) => type === 'token.reuse-detected')).toBe(true);
    expect(lines().some(({ type }) => type === 'store.failed')).toBe(true);
    expect(lines().filter(({ type }) => type === 'log.suppressed').length).toBeLessThanOrEqual(12);
  });

  it('R-LG-08 what was counted is printed after a minute, even if nothing else happens', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fail, lines } = start();
    fail();
    expect(vi.getTimerCount()).toBe(0);
    for (let i = 0; i < 9; i++) fail();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(lines().at(-1)).toMatchObject({ type: 'log.repeated', count: 9 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('R-LG-08 leaves no timer behind', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { fail, logger, lines } = start();
    fail();
    fail();
    logger.close();
    expect(vi.getTimerCount()).toBe(0);
    fail();
    expect(counted(lines())).toBe(2);
  });

  it('R-LG-01 what is no failure is for subscribers, not for the log', () => {
    const { events, lines } = start();
    events.emit('authentication.succeeded', { scheme: 'jwt' }, CALLER);
    events.emit('api-key.issued', { keyId: 'a', owner: 'b' });
    events.emit('token.issued', { subject: 'a', session: 'b' });
    events.emit('api-key.exposed', { keyId: 'a', reason: 'url', revoked: false });
    events.emit('api-key.exposed', { keyId: 'b', reason: 'url', revoked: false });
    expect(lines().map(({ type }) => type)).toEqual(['api-key.exposed', 'api-key.exposed']);
  });

  it('R-LG-03 R-LG-04 one line for each event, without secrets, whatever it holds', () => {
    const { events, lines } = start();
    const evil = '\r\n{"type":"fake"}\u001b[2J\u202e Bearer c2VjcmV0LXRva2Vu';
    events.emit('store.failed', { store: 'redis', message: evil });
    expect(lines()).toHaveLength(1);
    expect(lines()[0]!['message']).toBe('\r\n{"type":"fake"}\u001b[2J\u202e Bearer ***');
  });

  it.each<[string, SecurityEventSink]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    // A sink may well be an async function, whatever its type says.
    ['rejects', () => Promise.reject(new Error('disk full')) as unknown as void],
  ])('R-LG-05 a sink that %s disturbs nobody', async (_, sink) => {
    const unhandled = vi.fn<() => void>();
    process.on('unhandledRejection', unhandled);
    const { fail, logger, events } = start(sink);
    const seen: string[] = [];
    events.stream.subscribe(({ type }) => seen.push(type));
    fail();
    fail();
    logger.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', unhandled);
    expect(seen).toHaveLength(2);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('R-LG-05 an event that cannot be written is lost, and nothing else', () => {
    const { events, lines, fail } = start();
    events.emit('authorization.denied', { reason: 'x', requiredScopes: [1n] as unknown as string[] });
    fail();
    expect(lines()).toHaveLength(1);
  });

  it("prints through Nest's logger by itself", () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const events = new SecurityEvents();
    const logger = new SecurityEventLogger(events);
    events.emit('transport.rejected', { reason: 'plain-http' });
    logger.close();
    expect(warn).toHaveBeenCalledOnce();
  });
});
