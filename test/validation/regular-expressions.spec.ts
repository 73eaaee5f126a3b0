import { readdirSync, readFileSync } from 'node:fs';

import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

/** A regular expression of lib, as it is written, with the files that it is in. */
type Literals = ReadonlyMap<string, readonly string[]>;

/** What the checker calls polynomial, or does not decide, and why it is not so, or does no harm. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'Texts of this package alone: what the command line says of its own errors.': [String.raw`/\s*\n\s*/g`],
  'Read once, at the start, from options.': [String.raw`/^\/+|\/+$/g`],
  'Begins with at most 16 letters or 21 characters of a scheme, so that no character is read more often than that.':
    [
      '/((?:[A-Za-z][A-Za-z0-9]{1,15})?_(?:live|test)_[A-Za-z0-9]{1,32})_[A-Za-z0-9]+/g',
      '/([A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_)[A-Za-z0-9]{17,}/g',
      String.raw`/([A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/)[^\s/]{1,512}@/g`,
      '/[A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_[A-Za-z0-9]{4,32}_[A-Za-z0-9]{20,160}/',
    ],
};
/** What `new RegExp()` is called with: letters of scripts that options name, and a number. */
const COMPILED: Readonly<Record<string, string>> = {
  'lib/validation/compiled/messages.ts': String.raw`/\$constraint1/g`,
  'lib/validation/formats/identifier.ts': String.raw`/^[\p{scx=Latin}\p{scx=Han}\p{scx=Common}\p{scx=Inherited}]*$/u`,
};

function partsOf(literal: string): [source: string, flags: string] {
  const end = literal.lastIndexOf('/');
  return [literal.slice(1, end), literal.slice(end + 1)];
}

/** Every regular expression that a file of lib holds, and which files make more of texts. */
function readLib(): { literals: Literals; compiling: readonly string[] } {
  const literals = new Map<string, string[]>();
  const compiling: string[] = [];
  const files = readdirSync(new URL('lib', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `lib/${name}`)
    .toSorted();
  for (const file of files) {
    const text = readFileSync(new URL(file, ROOT), 'utf8');
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const at = literals.get(node.text);
        if (at) at.push(file);
        else literals.set(node.text, [file]);
      }
      if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp')
        compiling.push(file);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  return { literals, compiling };
}

describe('regular expressions', { timeout: 600_000 }, () => {
  const { literals, compiling } = readLib();
  const excepted = new Set(Object.values(EXCEPTIONS).flat());
  let check: typeof import('recheck').checkSync;
  beforeAll(async () => {
    // The one of its checkers that needs neither Java nor a binary, so that it says the same everywhere.
    process.env['RECHECK_BACKEND'] = 'pure';
    ({ checkSync: check } = await import('recheck'));
  });

  it('R-IV-16 the checker knows a bad one when it sees it', () => {
    expect(check('^(a+)+$', '').status).toBe('vulnerable');
    expect(check('^a+a+$', '').status).toBe('vulnerable');
    expect(check('^a+$', '').status).toBe('safe');
  });

  it('R-IV-16 none of lib can be made to backtrack', () => {
    expect(literals.size).toBeGreaterThan(100);
    const texts = [...literals.keys(), ...Object.values(COMPILED)].filter((text) => !excepted.has(text));
    // Steps are bounded, not milliseconds: a machine that is busy must not change a verdict.
    const bounds = { timeout: 500_000, attackTimeout: null, incubationTimeout: null };
    const unsafe = texts.filter((text) => check(...partsOf(text), bounds).status !== 'safe');
    expect(unsafe.map((text) => `${text} ${literals.get(text)?.join() ?? ''}`)).toEqual([]);
  });

  it('R-IV-16 lib makes regular expressions of texts where it is known to, and nowhere else', () => {
    expect(compiling).toEqual(Object.keys(COMPILED));
  });

  it('R-IV-16 every exception is still needed for something', () => {
    expect([...excepted].filter((text) => !literals.has(text))).toEqual([]);
  });

  it.each(Object.values(EXCEPTIONS)[2]!)(
    'R-IV-16 %s takes little time for 50 kB of its own kind',
    (literal) => {
      const pattern = new RegExp(...partsOf(literal));
      for (const piece of [
        'a',
        'aa_live_',
        'aa_live_a',
        'aaaaaaaaaaaaaaaa_live_',
        '_live_',
        '_live_a_',
        'aa_live_aaaa_',
        'aa_live_aaaaaaaaaaaaaaaaaaaa',
        `${'a'.repeat(16)}_test_${'a'.repeat(32)}_${'a'.repeat(19)}.`,
        'aa:',
        'aa://',
        'aa://a',
        `aa://${'a'.repeat(512)}`,
        'a-a.a+a',
        '://',
        '@',
      ]) {
        const text = piece.repeat(50_000 / piece.length);
        const times = Array.from({ length: 2 }, () => {
          const began = performance.now();
          text.replace(pattern, '');
          return performance.now() - began;
        });
        // On a quiet machine it is under 20 ms.
        expect(Math.min(...times), piece).toBeLessThan(200);
      }
    },
  );
});
