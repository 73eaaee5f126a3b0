import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import { compileJsonLimits } from '../../../lib/http/json/json-limits.js';
import { parseStrictJson } from '../../../lib/http/json/strict-json.js';

const limits = compileJsonLimits(undefined, new ConfigurationProblems());
const parse = (text: string | Buffer) =>
  parseStrictJson(Buffer.isBuffer(text) ? text : Buffer.from(text), limits);
const codeOf = (text: string | Buffer): string => {
  try {
    parse(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof SecurityError) return error.code;
    throw error;
  }
};

const ACCEPTED = [
  '{}',
  '[]',
  '[[]]',
  '{"a":[]}',
  '""',
  '"a"',
  '0',
  '-1',
  '1.5',
  '-0.1',
  '1E2',
  '1e-2',
  '1e+2',
  '123456789012345',
  'true',
  'false',
  'null',
  ' [ 1 , 2 ] ',
  '\t\r\n{"a"\t:\r\n1}',
  '"\\"\\\\\\/\\n\\r\\t"',
  '"\\u0041"',
  '"\\u00e9"',
  '"\\ud83d\\ude00"',
  '"😀"',
  '"é"',
  '"\u2028"',
  '{"":0}',
  '{"a":{"a":{"a":1}}}',
  '{"asd":"sdf","dfg":"fgh"}',
  '[1,null,true,"a",{}]',
  '"\\u0009"',
  '9007199254740991',
  '-9007199254740991',
  '0e1',
  '0.0',
  '1.0',
  '[-0]',
  '"new\\nline"',
  '{"toString":1}',
  '"__proto__"',
  '["constructor"]',
  '"\u00a0"',
  '"\\u007E"',
];

const MALFORMED = [
  '',
  ' ',
  '[',
  ']',
  '{',
  '}',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1,,2]',
  '[1 2]',
  '["a" "b"]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,"a":1}',
  '{"a":1 "b":2}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1}}',
  '{"a":1}x',
  '[]]',
  '1 2',
  'nul',
  'nulll',
  'True',
  'NaN',
  'Infinity',
  '-Infinity',
  '-',
  '+1',
  '01',
  '-01',
  '1.',
  '.1',
  '-.1',
  '1e',
  '1e+',
  '1e1.5',
  '0x1',
  '1_000',
  '１',
  '"',
  '"a',
  'a"',
  "'a'",
  '"\\x41"',
  '"\\u"',
  '"\\u00"',
  '"\\u00g0"',
  '"\\',
  '"\\a"',
  '"a\nb"',
  '"a\tb"',
  '"\u0000"',
  '"\\u0000"',
  '"\\u001f"',
  '"\\b"',
  '"\\f"',
  '"\u007f"',
  '"\u0085"',
  '"\\u0085"',
  '"\\ud800"',
  '"\\udc00"',
  '"\\ud800\\ud800"',
  '"\\ud83d\\u0041"',
  '"\\ud83dx"',
  '"\ufdd0"',
  '"\uffff"',
  '"\\uffff"',
  '"\\ud83f\\udfff"',
  '[1]//c',
  '/*c*/[1]',
  '#',
  '\ufeff[]',
  '[\u00a01]',
  '\u2060[]',
  '[\u000b1]',
  '[1\u000c]',
  '\\u005b]',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '{"x":{"a":1,"b":2,"a":3}}',
  '{"é":1,"e\u0301":2}',
  '{"__proto__":1}',
  '{"a":{"__pr\\u006fto__":1}}',
  '[{"constructor":1}]',
  '{"prototype":1}',
  '1e400',
  '-1e400',
  '[1e-400]',
  '9007199254740992',
  '-9007199254740993',
  '1e30',
  '12345678901234567890',
  '123456789012345678.0',
  '{"a":',
  '["',
  '{"',
  '{"a',
  '{"a"',
  'tru',
  '[true',
  '[nul',
  '\u0000',
  '[\u0000]',
  '{"a":1\u0000}',
];

describe('parseStrictJson', () => {
  it.each(ACCEPTED)('R-IV-05 accepts %j as JSON.parse does', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text, (_, value: unknown) => (value === 0 ? 0 : value)));
  });

  it.each(MALFORMED)('R-IV-05 R-IV-06 R-IV-07 R-IV-08 PITFALL-V9 PITFALL-V10 refuses %j', (text) => {
    expect(codeOf(text)).toBe('MALFORMED_REQUEST');
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a truncated character', [0x22, 0xe2, 0x82, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x5b, 0x00, 0x5d, 0x00]],
    ['UTF-16 without a mark', [0x00, 0x5b, 0x00, 0x5d]],
    ['a byte-order mark', [0xef, 0xbb, 0xbf, 0x5b, 0x5d]],
  ])('R-IV-05 refuses %s', (_, bytes) => {
    expect(codeOf(Buffer.from(bytes))).toBe('MALFORMED_REQUEST');
  });

  it('R-IV-08 normalises strings and names, written out or escaped', () => {
    expect(parse('{"e\u0301":"e\\u0301"}')).toEqual({ '\u00e9': '\u00e9' });
  });

  it('R-IV-07 makes -0 zero', () => {
    for (const text of ['-0', '[-0.0]', '{"a":-0e1}']) expect(JSON.stringify(parse(text))).not.toContain('-');
    expect(Object.is(parse('-0'), 0)).toBe(true);
  });

  it.each([
    ['depth', '['.repeat(21) + ']'.repeat(21), '['.repeat(20) + ']'.repeat(20)],
    ['items', `[${Array(1_001).fill(1).join()}]`, `[${Array(1_000).fill(1).join()}]`],
    ['keys in all', objects(1_001), objects(1_000)],
    ['key length', `{"${'k'.repeat(129)}":1}`, `{"${'k'.repeat(128)}":1}`],
    ['string length', `"${'s'.repeat(102_401)}"`, `"${'s'.repeat(102_400)}"`],
    [
      'string length by what escapes stand for',
      `"${'\\u0041'.repeat(102_401)}"`,
      `"${'\\u0041'.repeat(102_400)}"`,
    ],
  ])('R-IV-04 bounds %s, exactly', (_, over, within) => {
    expect(codeOf(over)).toBe('PAYLOAD_TOO_COMPLEX');
    expect(codeOf(within)).toBe('accepted');
  });

  it('R-IV-04 PITFALL-V5 takes deep, long and wide bodies lightly', () => {
    const hostile = [
      '['.repeat(100_000),
      '{"a":'.repeat(50_000),
      `[${'1,'.repeat(40_000)}1]`,
      objects(5_000),
      `"${'\\'.repeat(99_999)}`,
    ];
    for (const text of hostile) {
      const started = performance.now();
      expect(codeOf(text)).not.toBe('accepted');
      expect(performance.now() - started).toBeLessThan(250);
    }
  });

  it('R-IV-05 gives what JSON.parse gives for any value within the limits', () => {
    expect.hasAssertions();
    const text = fc.string({ unit: fc.constantFrom(...'abc "\\/{}[]:,é😀\n'.split(/(?:)/u)), maxLength: 8 });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.oneof(
          text,
          fc.boolean(),
          fc.constant(null),
          fc.maxSafeInteger(),
          fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
        ),
        fc.array(tie('tree'), { maxLength: 5 }),
        fc.dictionary(text, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        fc.pre(codeOf(json) === 'accepted' || /__proto__|e-\d/.test(json));
        if (codeOf(json) === 'accepted')
          expect(JSON.stringify(parse(json))).toBe(
            JSON.stringify(JSON.parse(json)).normalize('NFC').replaceAll('-0,', '0,'),
          );
      }),
      { numRuns: 2_000 },
    );
  });

  it('R-IV-05 accepts nothing that JSON.parse refuses, however a text is damaged', () => {
    expect.hasAssertions();
    const seed = '{"a":[1,-2.5e3,"x\\n\\u00e9",{"b":null,"c":[true,false]}],"d":"\\ud83d\\ude00"}';
    const character = fc.constantFrom(...'{}[]:,"\\u0019eE+-.tfn \n\u0000é'.split(/(?:)/u));
    const edit = fc.tuple(
      fc.nat({ max: seed.length }),
      fc.nat({ max: 3 }),
      fc.string({ unit: character, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = seed;
        for (const [at, removed, added] of edits) text = text.slice(0, at) + added + text.slice(at + removed);
        if (codeOf(text) === 'accepted')
          expect(parse(text)).toEqual(JSON.parse(text, (_, value: unknown) => (value === 0 ? 0 : value)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('R-CF-01 refuses limits out of bounds', () => {
    const problems = new ConfigurationProblems();
    compileJsonLimits({ maxDepth: 0, maxKeys: 1.5, maxItems: 1e9 }, problems);
    expect(problems.size).toBe(3);
  });
});

function objects(keys: number): string {
  return `[${Array.from({ length: keys / 500 + 1 }, (_, part) => {
    const members = Array.from({ length: Math.min(500, keys - part * 500) }, (_unused, i) => `"k${i}":1`);
    return `{${members.join()}}`;
  }).join()}]`;
}
