import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import { compileJsonLimits } from '../../../lib/http/json/json-limits.js';
import { parseStrictJson } from '../../../lib/http/json/strict-json.js';
import { ADAPTERS, type Adapter } from '../../support/app.js';
import { closeApps } from '../../support/bare-app.js';
import { rawRequest } from '../../support/raw-http.js';
import { post } from '../hostile-messages.js';
import { startMessageApp } from '../message-app.js';
import { LOSSY, REFUSED_ON_PURPOSE, TEST_SUITE } from './test-suite.js';

const limits = compileJsonLimits(undefined, new ConfigurationProblems());
const MAX_BYTES = 102_400;

function verdictOn(bytes: Buffer): string {
  try {
    parseStrictJson(bytes, limits);
    return 'accepted';
  } catch (error) {
    if (error instanceof SecurityError) return error.code;
    throw error;
  }
}

describe('JSONTestSuite', () => {
  it('is whole, and every difference from it has a reason', () => {
    const counts = ['y_', 'n_', 'i_'].map(
      (kind) => TEST_SUITE.filter(({ name }) => name.startsWith(kind)).length,
    );
    expect(counts).toEqual([95, 188, 35]);
    expect(LOSSY).toEqual([]);
    const names = new Set(TEST_SUITE.map(({ name }) => name));
    for (const name of REFUSED_ON_PURPOSE.flatMap(([, all]) => all))
      expect(names).toContain(`y_${name}.json`);
    expect(TEST_SUITE.filter(({ name, verdict }) => name.startsWith('n_') && verdict === 'accepted')).toEqual(
      [],
    );
  });

  it('R-IV-05 R-IV-07 R-IV-08 is read with the verdicts of the table', () => {
    const verdicts = TEST_SUITE.map(({ name, bytes }) => `${name} ${verdictOn(bytes)}`);
    expect(verdicts).toEqual(TEST_SUITE.map(({ name, verdict }) => `${name} ${verdict}`));
  });

  it('R-IV-05 means what JSON.parse says, where it is accepted', () => {
    for (const { name, bytes } of TEST_SUITE.filter(({ verdict }) => verdict === 'accepted')) {
      const plain: unknown = JSON.parse(bytes.toString(), (_, value: unknown) => (value === 0 ? 0 : value));
      expect(parseStrictJson(bytes, limits), name).toEqual(plain);
    }
  });
});

describe('JSONTestSuite over HTTP', () => {
  const ports = {} as Record<Adapter, number>;
  beforeAll(async () => {
    for (const adapter of ADAPTERS) ports[adapter] = (await startMessageApp(adapter)).port;
  });
  afterAll(closeApps);

  /** The route takes one shape only, so that JSON which is accepted as such breaks its rules; `null` is no body. */
  function fitting(bytes: Buffer, verdict: string): RegExp {
    if (bytes.length > MAX_BYTES) return /^413 PAYLOAD_TOO_LARGE$/;
    if (bytes.toString() === 'null') return /^400 MALFORMED_REQUEST$/;
    return verdict === 'accepted'
      ? /^400 (?:VALIDATION_FAILED|UNEXPECTED_FIELDS)$/
      : new RegExp(`^400 ${verdict}$`);
  }

  it('R-IV-05 R-IV-29 has the same verdicts on both adapters, to the letter, and never a 500', async () => {
    const wrong: string[] = [];
    for (const { name, bytes, verdict } of TEST_SUITE) {
      const [express, fastify] = await Promise.all(
        ADAPTERS.map((adapter) => rawRequest(ports[adapter], post('/orders', bytes))),
      );
      const { code } = (JSON.parse(express!.body) as { error: { code: string } }).error;
      const said = `${express!.status} ${code}`;
      if (!fitting(bytes, verdict).test(said)) wrong.push(`${name} ${said}`);
      if (fastify!.status !== express!.status || fastify!.body !== express!.body)
        wrong.push(`${name} differs: ${express!.body} ${fastify!.body}`);
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});
