import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import { compileJsonLimits } from '../../../lib/http/json/json-limits.js';
import { JsonScanner } from '../../../lib/http/json/json-scanner.js';
import { parseStrictJson } from '../../../lib/http/json/strict-json.js';
import { CORPUS } from './corpus.js';

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

/** What a value should have become, by the plainest means. */
function normalForm(value: unknown): unknown {
  if (typeof value === 'string') return value.normalize('NFC');
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(normalForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.normalize('NFC'), normalForm(member)]),
  );
}

/** What the exact scanner alone says. */
function exactly(text: string): string {
  try {
    new JsonScanner(text, limits).scan();
    normalForm(JSON.parse(text));
    return 'accepted';
  } catch {
    return 'refused';
  }
}

describe('parseStrictJson', () => {
  it('R-IV-05 R-IV-06 R-IV-07 R-IV-08 PITFALL-V9 PITFALL-V10 gives its verdict on every text of the corpus', () => {
    expect(CORPUS.length).toBeGreaterThan(250);
    const verdicts = CORPUS.map(({ name, bytes }) => `${name} ${codeOf(bytes)}`);
    expect(verdicts).toEqual(CORPUS.map(({ name, verdict }) => `${name} ${verdict}`));
  });

  it('R-IV-05 R-IV-08 what it accepts is what JSON.parse reads, in NFC and without -0', () => {
    for (const { name, bytes } of CORPUS.filter(({ verdict }) => verdict === 'accepted'))
      expect(parse(bytes), name).toEqual(normalForm(JSON.parse(bytes.toString())));
  });

  it.each([1, 3_000])(
    'R-IV-08 reads and refuses in a text of %i letters from all planes as in any',
    (length) => {
      const around = (one: string): string =>
        JSON.stringify(['ü', 'آدا', '漢字', '😀'.repeat(length)]).replace('آ', one);
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme' }), (one) => {
          const json = around(JSON.stringify(one).slice(1, -1));
          if (exactly(json) === 'accepted') expect(parse(json)).toEqual(normalForm(JSON.parse(json)));
          else expect(codeOf(json)).toBe('MALFORMED_REQUEST');
        }),
      );
      for (const one of ['\u007f', '\u0080', '\u0001', '\n', '\ufffe', '\u{1fffe}', '\\ud800', '\\u0000'])
        expect(codeOf(around(one)), JSON.stringify(one)).toBe('MALFORMED_REQUEST');
      const broken = Buffer.from(around('a'));
      broken[broken.indexOf(0xd8) + 1] = 0x20;
      expect(codeOf(broken)).toBe('MALFORMED_REQUEST');
    },
  );

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
        if (codeOf(text) !== 'accepted') return;
        const kept = (_: string, value: unknown) => {
          if (typeof value === 'string') return value.normalize('NFC');
          return value === 0 ? 0 : value;
        };
        expect(parse(text)).toEqual(JSON.parse(text, kept));
      }),
      { numRuns: 5_000 },
    );
  });

  it('R-IV-05 R-IV-07 the quick pass never says yes where the exact one says no', () => {
    expect.hasAssertions();
    const piece = fc.constantFrom(
      ...'{ } [ ] , : " \\ "a" "b" "a": "b": "\\u0061": "\\ud83d\\ude00" "\\ud800" "e\u0301" "\u00e9": "e\u0301": "__proto__": "constructor": 0 -0 -0.0 1 12 1.5 -1e3 1e400 9007199254740993 0.99999999999999999999 1.000000000000000000001 true null "\u0085" "\u007f" "x\\n" "\\b"'.split(
        ' ',
      ),
    );
    const list = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => `[${pieces.join(',')}]`);
    const record = fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'é', 'e\u0301', '\\u0061', 'constructor'), piece), {
        maxLength: 4,
      })
      .map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join()}}`);
    const loose = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(list, record, loose), (text) => {
        const verdict = codeOf(text);
        if (verdict === 'accepted') {
          expect(exactly(text)).toBe('accepted');
          expect(parse(text)).toEqual(normalForm(JSON.parse(text)));
        } else if (!hasNamesThatCompose(text)) expect(exactly(text)).toBe('refused');
      }),
      { numRuns: 5_000 },
    );
  });

  it('R-IV-05 keeps bodies apart that are read one after another', () => {
    for (let i = 0; i < 1_000; i++) expect(parse(`{"a":{"b":${i}},"b":[{"a":1}]}`)).toBeDefined();
    expect(codeOf('{"a":1,"b":{"a":2},"a":3}')).toBe('MALFORMED_REQUEST');
  });

  it('R-CF-01 refuses limits out of bounds', () => {
    const problems = new ConfigurationProblems();
    compileJsonLimits({ maxDepth: 0, maxKeys: 1.5, maxItems: 1e9 }, problems);
    expect(problems.size).toBe(3);
  });
});

/** Two spellings of one name are refused when they have been brought into one form. */
const hasNamesThatCompose = (text: string): boolean => text.includes('\u0301');

function objects(keys: number): string {
  return `[${Array.from({ length: keys / 500 + 1 }, (_, part) => {
    const members = Array.from({ length: Math.min(500, keys - part * 500) }, (_unused, i) => `"k${i}":1`);
    return `{${members.join()}}`;
  }).join()}]`;
}
