import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { Controller, Get } from '@nestjs/common';
import { ApiKeyAuth, ApiKeyService, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { generateKey, parseKey } from '../../lib/authentication/api-key/key-format.js';
import type { RunningApp } from '../support/app.js';
import { ADAPTERS, closeApps, type Adapter } from '../support/bare-app.js';
import { startSecured } from '../support/secured-app.js';
import { type Difference, getRequest, type Kinds, settledDifference, Wire } from './latency.js';

@Controller()
@ApiKeyAuth()
class GuardedController {
  @Get('guarded')
  guarded(): object {
    return {};
  }
}

const PAIRS = 5_000;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;

/** No limit may answer in place of the verifier. */
const UNLIMITED: SecurityOptions = {
  rateLimit: { read: false, write: false, address: false, failedAuthentication: false },
};

const isSmall = ({ t, medians }: Difference): boolean => Math.abs(t) < 4.5 && medians < 0.05;

afterEach(closeApps);

describe.each(ADAPTERS)('the time of a bad API key on %s', (adapter) => {
  it('R-AK-06 R-ER-09 does not tell where the secret differs', { timeout: 30_000 }, async () => {
    const { running, issue } = await start(adapter);
    const key = await issue();
    const { t, medians } = await compare(running, [
      () => request(differingAt(key, 0)),
      () => request(differingAt(key, -1)),
    ]);
    expect(Math.abs(t)).toBeLessThan(4.5);
    expect(medians).toBeLessThan(0.05);
  });

  it('R-AK-06 R-ER-09 does not tell whether there is a key with the id', { timeout: 30_000 }, async () => {
    const { running, issue } = await start(adapter);
    const known = await issue();
    const unknown = generateKey('sk', 'live').key;
    const { t, medians } = await compare(running, [
      () => request(otherSecret(unknown)),
      () => request(otherSecret(known)),
    ]);
    expect(Math.abs(t)).toBeLessThan(4.5);
    expect(medians).toBeLessThan(0.05);
  });
});

async function start(adapter: Adapter): Promise<{ running: RunningApp; issue: () => Promise<string> }> {
  const running = await startSecured(adapter, UNLIMITED, { controllers: [GuardedController] });
  const keys = running.app.get(ApiKeyService);
  const issue = async () => (await keys.issue({ owner: 'ada', name: 'test', scopes: [] })).key;
  return { running, issue };
}

async function compare({ port }: RunningApp, kinds: Kinds): Promise<Difference> {
  const wire = await Wire.open(port);
  expect(bodyOf(await wire.ask(kinds[0]()))).toBe(bodyOf(await wire.ask(kinds[1]())));
  const difference = await settledDifference(wire, kinds, PAIRS, isSmall);
  wire.close();
  return difference;
}

const request = (key: string): Buffer => getRequest('/guarded', `Api-Key ${key}`);

/** The key with another character at a place of its secret, and the checksum of that. */
function differingAt(key: string, place: 0 | -1): string {
  const body = withoutChecksum(key);
  const index = place === 0 ? body.lastIndexOf('_') + 1 : body.length - 1;
  const shift = 1 + randomInt(ALPHABET.length - 1);
  const other = ALPHABET.charAt((ALPHABET.indexOf(body.charAt(index)) + shift) % ALPHABET.length);
  return withChecksum(body.slice(0, index) + other + body.slice(index + 1));
}

/** The same id with a secret that nobody has tried before. */
function otherSecret(key: string): string {
  const [prefix, environment, id] = key.split('_');
  const [, , , secret = ''] = generateKey('sk', 'live').key.split('_');
  return withChecksum([prefix, environment, id, withoutChecksum(secret)].join('_'));
}

const withoutChecksum = (text: string): string => text.slice(0, -CHECKSUM_LENGTH);

function withChecksum(body: string): string {
  let rest = crc32(body);
  let checksum = '';
  while (checksum.length < CHECKSUM_LENGTH) {
    checksum = ALPHABET.charAt(rest % ALPHABET.length) + checksum;
    rest = Math.floor(rest / ALPHABET.length);
  }
  const key = body + checksum;
  if (parseKey(key) === undefined) throw new Error('a made-up key must be well-formed');
  return key;
}

function bodyOf(answer: string): string {
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  return answer.slice(answer.indexOf('\r\n\r\n'));
}
