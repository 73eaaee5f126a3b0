import fc from 'fast-check';
import {
  isBase64Url,
  isBigIntString,
  isCidr,
  isDecimalString,
  isEmailAddress,
  isFullDate,
  isHostname,
  isIdentifier,
  identifierKey,
  isIpAddress,
  isRfc3339,
  isStrictUrl,
  isStrictUuid,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

const day = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
const label = fc.stringMatching(/^[a-z](?:[a-z0-9]{0,8}[a-z])?$/);
const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });
/** A text with one character replaced, put in or taken out. */
const spoiled = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(text, fc.nat(), fc.constantFrom(0, 1), fc.oneof(fc.constant(''), fc.string({ maxLength: 1 })))
    .map(([one, at, cut, put]) => {
      const index = at % (one.length + 1);
      return one.slice(0, index) + put + one.slice(index + cut);
    });

describe('formats', () => {
  it('R-IV-15 take what Node and the WHATWG write', () => {
    fc.assert(
      fc.property(
        day,
        host,
        bytes,
        fc.uuid(),
        fc.bigInt(0n, 2n ** 63n - 1n),
        (date, name, data, uuid, whole) => {
          expect(isRfc3339(date.toISOString())).toBe(true);
          expect(isFullDate(date.toISOString().slice(0, 10))).toBe(true);
          expect(isHostname(name)).toBe(true);
          expect(isEmailAddress(`a.b+c@${name}`)).toBe(true);
          expect(isStrictUrl(new URL(`https://${name}/a b?c=d e#f`).href)).toBe(true);
          expect(isBase64Url(Buffer.from(data).toString('base64url'))).toBe(true);
          expect(isStrictUuid(uuid)).toBe(true);
          expect(isBigIntString(String(whole))).toBe(true);
        },
      ),
    );
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => isIpAddress(address)));
  });

  it('R-IV-15 take nothing that other readers read differently', () => {
    fc.assert(
      fc.property(spoiled(day.map((date) => date.toISOString())), (text) => {
        if (isRfc3339(text)) expect(new Date(text).getTime()).not.toBeNaN();
      }),
    );
    fc.assert(
      fc.property(spoiled(bytes.map((data) => Buffer.from(data).toString('base64url'))), (text) => {
        if (isBase64Url(text)) expect(Buffer.from(text, 'base64url').toString('base64url')).toBe(text);
      }),
    );
    fc.assert(
      fc.property(spoiled(fc.integer({ min: 0 }).map(String)), (text) => {
        if (isBigIntString(text)) expect(String(BigInt(text))).toBe(text);
        if (isDecimalString(text)) expect(text).toMatch(/^\d/);
      }),
    );
    fc.assert(
      fc.property(spoiled(fc.webUrl({ withFragments: true, withQueryParameters: true })), (text) => {
        if (!isStrictUrl(text, { schemes: ['http', 'https'] })) return;
        const { protocol, username, password, hostname } = new URL(text);
        expect(['http:', 'https:']).toContain(protocol);
        expect(username + password).toBe('');
        // What stands between `//` and the path, port or query is what is connected to.
        expect(/\/\/([^/?#:]+)/.exec(text)?.[1]?.toLowerCase()).toBe(hostname);
      }),
    );
  });

  it('R-IV-15 a network holds its own address, and no bit of a host', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, prefix) => {
        const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        expect(isCidr(`${address}/${prefix}`)).toBe(value % 2 ** (32 - prefix) === 0);
        expect(isCidr(`${address}/${prefix}`, { hostBits: true })).toBe(true);
      }),
    );
  });

  it('R-IV-09 identifiers that differ in case, form or invisible characters only have one key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        const key = identifierKey(text);
        expect(identifierKey(text.toUpperCase())).toBe(identifierKey(text.toLowerCase().toUpperCase()));
        expect(identifierKey(text.normalize('NFD'))).toBe(key);
        expect(identifierKey(`${text}\u200b`)).toBe(key);
        if (isIdentifier(text)) expect(text.normalize('NFKC')).toBe(text);
      }),
    );
  });
});
