import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { type AnswerOptions, compileEscapeJson } from '../../lib/http/answers.options.js';

function compiled(options: unknown): { escapes: boolean; codes: string[] } {
  const problems = new ConfigurationProblems();
  const escapes = compileEscapeJson(options as AnswerOptions | undefined, problems);
  return { escapes, codes: problems.all.map(({ code }) => code) };
}

describe('answer options', () => {
  it.each([
    [undefined, true],
    [{}, true],
    [{ escapeJson: undefined }, true],
    [{ escapeJson: true }, true],
    [{ escapeJson: false }, false],
  ])('R-IV-24 %j means %s', (options, escapes) => {
    expect(compiled(options)).toEqual({ escapes, codes: [] });
  });

  it.each([
    [null, 'answers.options'],
    ['escape', 'answers.options'],
    [[false], 'answers.options'],
    [{ escapeJson: 'no' }, 'answers.escape-json'],
    [{ escapeJson: null }, 'answers.escape-json'],
    [{ escapeJSON: false }, 'answers.unknown'],
  ])('R-CF-01 %j is refused, and nothing is switched off', (options, code) => {
    expect(compiled(options)).toEqual({ escapes: true, codes: [code] });
  });
});
