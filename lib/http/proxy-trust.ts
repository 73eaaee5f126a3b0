import { BlockList, isIP } from 'node:net';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { canonicalAddress } from './ip-address.js';

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

const HEADERS: readonly unknown[] = ['x-forwarded-for', 'forwarded'] satisfies ProxyTrust['header'][];
const MAX_HOPS = 16;
/** Verdicts that are remembered: asking a `BlockList` costs a microsecond, and the proxies are few. */
const MAX_VERDICTS = 1_024;

/** Compiles a setting once; what cannot be used is reported and trusts nobody. */
export function compileProxyTrust(
  setting: ProxyTrustSetting | undefined,
  header: ProxyTrust['header'],
  problems: ConfigurationProblems,
): ProxyTrust {
  const nobody: ProxyTrust = Object.freeze({ trusts: () => false, any: false, header });
  if (!HEADERS.includes(header)) {
    problems.add(
      'proxy.header',
      'proxy.header',
      'is no header that names a client',
      `use one of ${HEADERS.join(', ')}`,
    );
  }
  const trusts = compileTrusts(setting, problems);
  if (trusts === undefined) return nobody;
  if (trustsEverybody(trusts)) {
    problems.add(
      'proxy.trust.everybody',
      'trust proxy',
      'trusts every peer, so that any client can claim any address and HTTPS',
      'name the proxies by address or CIDR block, or give the exact number of hops',
    );
    return nobody;
  }
  return Object.freeze({ trusts, any: true, header });
}

function compileTrusts(
  setting: ProxyTrustSetting | undefined,
  problems: ConfigurationProblems,
): TrustFunction | undefined {
  if (setting === undefined || setting === false || setting === 0) return undefined;
  if (setting === true) return () => true;
  if (typeof setting === 'function') return (address, hop) => asks(setting, address, hop);
  if (typeof setting === 'number') {
    if (Number.isInteger(setting) && setting > 0 && setting <= MAX_HOPS) return (_, hop) => hop < setting;
    problems.add(
      'proxy.trust.hops',
      'trust proxy',
      `is not a number of 1 to ${MAX_HOPS} hops`,
      'give the exact number of proxies',
    );
    return undefined;
  }
  const blocks = new BlockList();
  const entries = entriesOf(setting);
  const bad = entries.filter((entry) => !addBlock(blocks, entry));
  if (bad.length > 0) {
    problems.add(
      'proxy.trust.address',
      'trust proxy',
      'holds something that is no address or CIDR block',
      "write entries such as '10.0.0.0/8' or 'loopback'",
    );
  }
  return entries.length === bad.length ? undefined : remembering((address) => isInBlocks(blocks, address));
}

/** A function of the application; one that fails trusts nobody. */
function asks(trusts: TrustFunction, address: string, hop: number): boolean {
  try {
    return trusts(address, hop);
  } catch {
    return false;
  }
}

function remembering(trusts: (address: string) => boolean): TrustFunction {
  const verdicts = new Map<string, boolean>();
  return (address) => {
    let verdict = verdicts.get(address);
    if (verdict === undefined) {
      if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
      verdict = trusts(address);
      verdicts.set(address, verdict);
    }
    return verdict;
  };
}

/** Addresses all over the network, none of them private: whoever trusts all of them means no proxy in particular. */
const STRANGERS = ['1.0.0.1', '77.1.2.3', '151.101.1.1', '192.0.2.1', '203.0.113.9'];

function trustsEverybody(trusts: TrustFunction): boolean {
  return STRANGERS.every((address) => trusts(address, MAX_HOPS));
}

function entriesOf(setting: string | readonly string[]): string[] {
  const texts: readonly unknown[] =
    typeof setting === 'string' ? setting.split(',') : Array.isArray(setting) ? setting : [setting];
  return texts.flatMap((value) => {
    const text = typeof value === 'string' ? value.trim() : '';
    return Object.hasOwn(NAMED, text) ? NAMED[text]! : [text];
  });
}

/** Adds one address or CIDR block; false if it is neither. A block of everything is refused as none. */
export function addBlock(blocks: BlockList, entry: string): boolean {
  const slash = entry.indexOf('/');
  const text = slash < 0 ? entry : entry.slice(0, slash);
  const address = text.includes('%') ? undefined : canonicalAddress(text);
  if (address === undefined) return false;
  // Addresses are compared in their canonical form, in which an IPv4-mapped block is one of IPv4.
  const mapped = text.includes(':') && !address.includes(':');
  const type = address.includes(':') ? 'ipv6' : 'ipv4';
  if (slash < 0) {
    blocks.addAddress(address, type);
    return true;
  }
  const prefix = entry.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefix)) return false;
  const bits = Number(prefix) - (mapped ? 96 : 0);
  if (bits <= 0 || bits > (type === 'ipv4' ? 32 : 128)) return false;
  blocks.addSubnet(address, bits, type);
  return true;
}

/** Whether an address is in one of the blocks. */
export function isInBlocks(blocks: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && blocks.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
