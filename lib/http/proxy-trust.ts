import { BlockList, isIP } from 'node:net';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** Which proxies are believed, and in which header. */
export interface ProxyOptions {
  /**
   * A hop count, an address, a CIDR block, `loopback`, `linklocal`, `uniquelocal`, or a list of them (also comma-separated).
   * By default what the adapter was told (`trust proxy` of Express, `trustProxy` of Fastify). Never everybody (R-TL-06).
   */
  readonly trust?: ProxyTrustSetting;
  /** The one header that names the client; `x-forwarded-for` by default. */
  readonly header?: 'x-forwarded-for' | 'forwarded';
}

/** What both adapters take to say which proxies they trust. */
export type ProxyTrustSetting = boolean | number | string | readonly string[] | TrustFunction;

/** Whether the peer `hop` steps away from this server (0: the socket's own) is a proxy of ours. */
export type TrustFunction = (address: string, hop: number) => boolean;

/** Trust, ready to be asked. */
export interface ProxyTrust {
  readonly trusts: TrustFunction;
  /** False if nobody is trusted: then no header has to be read at all. */
  readonly any: boolean;
  readonly header: 'x-forwarded-for' | 'forwarded';
}

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Compiles a setting once; what cannot be used is reported and trusts nobody. */
export function compileProxyTrust(
  setting: ProxyTrustSetting | undefined,
  header: ProxyTrust['header'],
  problems: ConfigurationProblems,
): ProxyTrust {
  const nobody: ProxyTrust = { trusts: () => false, any: false, header };
  if (setting === undefined || setting === false || setting === 0) return nobody;
  if (setting === true) {
    problems.add(
      'proxy.trust.everybody',
      'trust proxy',
      'trusts every peer, so that any client can claim any address and HTTPS',
      'name the proxies by address or CIDR block, or give the exact number of hops',
    );
    return nobody;
  }
  if (typeof setting === 'function') return { trusts: setting, any: true, header };
  if (typeof setting === 'number') {
    if (Number.isInteger(setting) && setting > 0 && setting <= 16) {
      return { trusts: (_, hop) => hop < setting, any: true, header };
    }
    problems.add(
      'proxy.trust.hops',
      'trust proxy',
      'is not a number of 1 to 16 hops',
      'give the exact number of proxies',
    );
    return nobody;
  }
  const blocks = new BlockList();
  for (const entry of entriesOf(setting)) {
    if (!addBlock(blocks, entry)) {
      problems.add(
        'proxy.trust.address',
        'trust proxy',
        'holds something that is no address or CIDR block',
        "write entries such as '10.0.0.0/8' or 'loopback'",
      );
    }
  }
  return { trusts: (address) => isInBlocks(blocks, address), any: true, header };
}

function entriesOf(setting: string | readonly string[]): string[] {
  const texts = typeof setting === 'string' ? setting.split(',') : setting;
  return texts
    .map((text) => text.trim())
    .flatMap((text) => (Object.hasOwn(NAMED, text) ? NAMED[text]! : [text]));
}

/** Adds one address or CIDR block; false if it is neither. */
export function addBlock(blocks: BlockList, entry: string): boolean {
  const slash = entry.indexOf('/');
  const address = slash < 0 ? entry : entry.slice(0, slash);
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (slash < 0) {
    blocks.addAddress(address, type);
    return true;
  }
  const prefix = entry.slice(slash + 1);
  const bits = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || bits > (family === 4 ? 32 : 128)) return false;
  // A block of everything is trust in everybody by another name.
  if (bits === 0) return false;
  blocks.addSubnet(address, bits, type);
  return true;
}

/** Whether an address is in one of the blocks. */
export function isInBlocks(blocks: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && blocks.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
