import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { logLine } from '../../lib/events/log-line.js';

describe('a log line', () => {
  it.each([
    '\r\n{"type":"authentication.succeeded"}',
    '\u001b[2J',
    '\u009b2J',
    '\u007f',
    '\u0085',
    '\u2028\u2029',
    '\u202e\u2066\u2069\u200f\u061c',
    '\ufeff\u200b\u00ad\u2060\u180e',
    '\0\b\t\v\f',
    'Z\u0300',
    '${jndi:ldap://a.example/x} %s {{7*7}}',
  ])('R-LG-04 %j stays in its line and in its place', (text) => {
    const line = logLine({ type: 'x', reason: text });
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(line)).toEqual({ type: 'x', reason: text });
  });

  it('R-LG-04 any text comes back as it was, from one line of visible characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const line = logLine({ text });
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
        expect(Buffer.from(line).toString()).toBe(line);
        expect(Object.keys(JSON.parse(line) as object)).toEqual(['text']);
      }),
    );
  });

  it('R-LG-04 cuts long texts and says so, in lists too', () => {
    const { reason, paths } = JSON.parse(
      logLine({ reason: 'a'.repeat(257), paths: ['b'.repeat(256), 'c'.repeat(100_000)] }),
    ) as { reason: string; paths: string[] };
    expect(reason).toBe(`${'a'.repeat(256)}…`);
    expect(paths).toEqual(['b'.repeat(256), `${'c'.repeat(256)}…`]);
    const halved = logLine({ text: `${'a'.repeat(255)}😀` });
    expect(Buffer.from(halved).toString()).toBe(halved);
  });

  it('R-LG-03 holds no secret', () => {
    expect(logLine({ message: 'redis://:hunter2@cache failed' })).toBe(
      '{"message":"redis://***@cache failed"}',
    );
  });
});
