import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isPublicAddress } from '../../lib/outbound/public-address.js';

const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

describe('addresses of the public internet', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.128.0.0',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('R-IN-01 R-OA-02 %s is one', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::ffff:8.8.8.8%eth0'.replace('8.8.8.8', '10.0.0.1'),
    '64:ff9b::a9fe:a9fe',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2002:a9fe:a9fe::',
    '2001::1',
    '2001:db8::1',
    '',
    'localhost',
    '0x7f.1',
    '2130706433',
    '127.1',
    '010.0.0.1',
  ])('R-IN-01 R-OA-02 %s is none', (address) => expect(isPublicAddress(address)).toBe(false));

  it('R-OA-02 is one in IPv4-mapped spelling exactly if it is one in its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
        const [high, low] = [(value >>> 16).toString(16), (value & 0xffff).toString(16)];
        const plain = isPublicAddress(dotted(value));
        expect(isPublicAddress(`::ffff:${dotted(value)}`)).toBe(plain);
        expect(isPublicAddress(`::ffff:${high}:${low}`)).toBe(plain);
      }),
    );
  });
});
