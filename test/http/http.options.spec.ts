import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { compileConnectionCap, type HttpOptions } from '../../lib/http/http.options.js';

function compile(options: unknown) {
  const problems = new ConfigurationProblems();
  const cap = compileConnectionCap(options as HttpOptions, problems);
  return { cap, codes: problems.all.map(({ code }) => code) };
}

describe('options of the server', () => {
  it.each([[undefined], [{}], [{ maxConnectionsPerAddress: undefined }]])(
    'R-HP-11 %j is a cap of 100 for strangers',
    (options) => {
      expect(compile(options)).toEqual({ cap: { limit: 100, strangersOnly: true }, codes: [] });
    },
  );

  it.each([1, 100, 65_535])('R-HP-11 a cap of %i is one for everybody', (maxConnectionsPerAddress) => {
    expect(compile({ maxConnectionsPerAddress })).toEqual({
      cap: { limit: maxConnectionsPerAddress, strangersOnly: false },
      codes: [],
    });
  });

  it('R-HP-11 false is no cap', () => {
    expect(compile({ maxConnectionsPerAddress: false })).toEqual({ cap: undefined, codes: [] });
  });

  it.each([0, -1, 1.5, 65_536, NaN, Infinity, '100', true, null])(
    'R-CF-01 %j is no number of connections, and leaves the default',
    (maxConnectionsPerAddress) => {
      expect(compile({ maxConnectionsPerAddress })).toEqual({
        cap: { limit: 100, strangersOnly: true },
        codes: ['http.max-connections'],
      });
    },
  );

  it.each([[[]], [null], ['100'], [100]])('R-CF-01 %j is no object of options', (options) => {
    expect(compile(options).codes).toEqual(['http.options']);
  });

  it('R-CF-01 an unknown option is named', () => {
    expect(compile({ maxConnections: 5 }).codes).toEqual(['http.unknown']);
  });
});
