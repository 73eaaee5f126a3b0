import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { compileProxyTrust, type ProxyTrustSetting } from '../../lib/http/proxy-trust.js';

function compile(
  setting: ProxyTrustSetting | undefined,
  header: 'x-forwarded-for' | 'forwarded' = 'forwarded',
) {
  const problems = new ConfigurationProblems();
  const trust = compileProxyTrust(setting, header, problems);
  return { trust, codes: problems.all.map(({ code }) => code) };
}

describe('trust in proxies', () => {
  it.each([undefined, false, 0, []])('R-TL-06 %j trusts nobody', (setting) => {
    const { trust, codes } = compile(setting);
    expect(codes).toEqual([]);
    expect(trust.any).toBe(false);
    expect(trust.trusts('127.0.0.1', 0)).toBe(false);
  });

  it.each<[ProxyTrustSetting, readonly string[], readonly string[]]>([
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1'], ['10.0.0.1', '::2', '128.0.0.1']],
    ['linklocal', ['169.254.1.1', 'fe80::1'], ['169.255.0.1', 'fec0::1']],
    [
      'uniquelocal',
      ['10.1.1.1', '172.31.0.1', '192.168.0.1', 'fd00::1'],
      ['172.32.0.1', 'fe00::1', '11.0.0.1'],
    ],
    ['10.0.0.0/8, 192.0.2.7', ['10.255.0.1', '192.0.2.7'], ['192.0.2.8', '11.0.0.0']],
    [['2001:db8::/32', 'loopback'], ['2001:db8:1::1', '127.0.0.1'], ['2001:db9::1']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3'], ['11.0.0.1']],
    ['::ffff:192.0.2.1', ['192.0.2.1'], ['192.0.2.2']],
  ])('R-TL-06 %j', (setting, trusted, strangers) => {
    const { trust, codes } = compile(setting);
    expect(codes).toEqual([]);
    // Asked twice: verdicts are remembered.
    for (const _ of [1, 2]) {
      for (const address of trusted) expect(trust.trusts(address, 0), address).toBe(true);
      for (const address of [...strangers, 'unknown', ''])
        expect(trust.trusts(address, 0), address).toBe(false);
    }
  });

  it('R-TL-06 a number of hops counts them, whatever their addresses', () => {
    const { trust } = compile(2);
    expect([0, 1, 2, 3].map((hop) => trust.trusts('192.0.2.1', hop))).toEqual([true, true, false, false]);
  });

  it('R-TL-06 a function of the application is asked as Express asks it, and trusts nobody when it throws', () => {
    const { trust, codes } = compile((address, hop) => address === '10.0.0.1' && hop < 2);
    expect(codes).toEqual([]);
    expect([trust.trusts('10.0.0.1', 1), trust.trusts('10.0.0.1', 2)]).toEqual([true, false]);
    const failing = compile(() => {
      throw new Error('down');
    });
    expect(failing.codes).toEqual([]);
    expect(failing.trust.trusts('10.0.0.1', 0)).toBe(false);
  });

  it.each<[string, ProxyTrustSetting]>([
    ['true', true],
    ['a function that always says yes', () => true],
    ['two halves of everything', ['0.0.0.0/1', '128.0.0.0/1']],
  ])('R-TL-06 PITFALL-T8 trusting everybody is refused: %s', (_, setting) => {
    const { trust, codes } = compile(setting);
    expect(codes).toEqual(['proxy.trust.everybody']);
    expect(trust.any).toBe(false);
  });

  it.each<[ProxyTrustSetting, string]>([
    [-1, 'proxy.trust.hops'],
    [1.5, 'proxy.trust.hops'],
    [17, 'proxy.trust.hops'],
    [Number.NaN, 'proxy.trust.hops'],
    ['', 'proxy.trust.address'],
    ['1', 'proxy.trust.address'],
    ['all', 'proxy.trust.address'],
    ['10.0.0.0/33', 'proxy.trust.address'],
    ['10.0.0.0/255.0.0.0', 'proxy.trust.address'],
    ['0.0.0.0/0', 'proxy.trust.address'],
    ['::/0', 'proxy.trust.address'],
    ['fe80::1%eth0', 'proxy.trust.address'],
    [['127.0.0.1', '10.0.0.0/'], 'proxy.trust.address'],
    [[1] as unknown as string[], 'proxy.trust.address'],
    [{} as unknown as string, 'proxy.trust.address'],
  ])('R-CF-01 R-TL-06 %j stops the boot', (setting, code) => {
    expect(compile(setting).codes).toEqual([code]);
  });

  it('R-CF-01 R-TL-06 one header, and one that exists', () => {
    expect(compile(1, 'cf-connecting-ip' as 'forwarded').codes).toEqual(['proxy.header']);
  });
});
