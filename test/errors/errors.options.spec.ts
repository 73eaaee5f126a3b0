import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { checkErrorOptions, type ErrorOptions } from '../../lib/errors/errors.options.js';

function codesOf(options: unknown): string[] {
  const problems = new ConfigurationProblems();
  checkErrorOptions(options as ErrorOptions, problems);
  return problems.all.map(({ code }) => code);
}

describe('error options', () => {
  it.each([undefined, {}, { format: undefined }, { format: 'envelope' }, { format: 'problem' }])(
    'CONTRACT-2 %j are fine',
    (options) => {
      expect(codesOf(options)).toEqual([]);
    },
  );

  it.each(['Problem', '', 'rfc9457', true, null, 0])('R-CF-01 %j is no format', (format) => {
    expect(codesOf({ format })).toEqual(['errors.format.unknown']);
  });

  it.each([[null], ['problem'], [['problem']], [true]])('R-CF-01 %j is no object of options', (options) => {
    expect(codesOf(options)).toEqual(['errors.options']);
  });

  it('R-CF-01 an unknown option is named', () => {
    expect(codesOf({ fromat: 'problem' })).toEqual(['errors.unknown']);
  });
});
