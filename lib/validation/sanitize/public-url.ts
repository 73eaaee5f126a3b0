import { lookup as resolve, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

import { SecurityError } from '../../errors/security-error.js';
import { isPublicAddress } from '../../outbound/public-address.js';
import { judgeUrl, type SafeUrlOptions, type UnsafeUrl } from './safe-url.js';

/** Every address of a name; rejects if there is none. */
export type AddressLookup = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Where a URL may lead, and how its name is resolved. */
export interface PublicUrlOptions extends SafeUrlOptions {
  /** For resolving the name; milliseconds, 5 000 by default. */
  readonly lookupTimeoutMs?: number;
  /** In place of the system's resolver: a resolver of your own, or for tests. Its answers are judged like any. */
  readonly lookup?: AddressLookup;
}

/** A URL, with the addresses that were looked at and found public. */
export interface PublicUrl {
  readonly url: URL;
  /** Connect to these only: the name may lead elsewhere the next time somebody asks. */
  readonly addresses: readonly LookupAddress[];
  /** For `lookup` of `http.request()`, `net.connect()` or an agent of undici; knows no other name. */
  readonly lookup: LookupFunction;
  /** For `agent` of `http.request()` and clients built on it; connects to nothing but these addresses, this port and this host. */
  readonly agent: HttpAgent | HttpsAgent;
}

/**
 * Makes sure that a URL from outside leads to the public internet, and pins where: the name is resolved once, every address has to be
 * public, and what is returned connects to these addresses only. So neither another spelling of an address, nor a name that leads to
 * a private one or changes between looking and connecting, nor a redirect, reaches this machine, its network or the metadata of its
 * cloud (R-IV-27).
 *
 * @throws SecurityError `VALIDATION_FAILED` for everything else; its reason, for the log, says which way the URL is unsafe
 * @example
 * const { url, agent } = await assertPublicUrl(hook.url);
 * https.request(url, { agent, method: 'POST' }).on('error', report).end(body);
 */
export async function assertPublicUrl(text: string, options: PublicUrlOptions = {}): Promise<PublicUrl> {
  const parts = judgeUrl(text, options);
  if (typeof parts === 'string') throw unsafe(parts);
  const { scheme, host, port } = parts;
  const addresses = isIP(host) ? [{ address: host, family: isIP(host) }] : await addressesOf(host, options);
  if (!addresses.every(({ address }) => isPublicAddress(address))) throw unsafe('private');
  const lookup = pinnedLookup(host, addresses);
  const Agent = scheme === 'https' ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: false, lookup });
  confine(agent, host, port);
  return Object.freeze({ url: new URL(text), addresses: Object.freeze([...addresses]), lookup, agent });
}

async function addressesOf(host: string, options: PublicUrlOptions): Promise<readonly LookupAddress[]> {
  const { lookup = systemLookup, lookupTimeoutMs = 5_000 } = options;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), lookupTimeoutMs);
  });
  try {
    const found = await Promise.race([lookup(host), late]);
    if (found.length === 0) throw new Error('no address');
    return found;
  } catch (error) {
    throw unsafe('unresolved', error);
  } finally {
    clearTimeout(timer);
  }
}

function systemLookup(host: string): Promise<LookupAddress[]> {
  return new Promise((settle, reject) => {
    resolve(host, { all: true }, (error, found) => (error ? reject(error) : settle(found)));
  });
}

/** Answers with what was looked at, and for no other name. */
function pinnedLookup(host: string, addresses: readonly LookupAddress[]): LookupFunction {
  return (hostname, { family, all }, callback) => {
    const wanted = addresses.filter(
      (one) => !family || one.family === Number(String(family).replace('IPv', '')),
    );
    const [first] = hostname.toLowerCase() === host ? wanted : [];
    if (!first) callback(new Error('the name is not the one that was looked at'), '');
    else if (all === true) callback(null, [...wanted]);
    else callback(null, first.address, first.family);
  };
}

interface Connecting {
  createConnection(options: { host?: string; port?: number | string }, done: (error: Error) => void): unknown;
}

/** An address that is written out is not looked up, so a redirect to one has to be stopped here. */
function confine(agent: HttpAgent | HttpsAgent, host: string, port: number): void {
  const connecting = agent as unknown as Connecting;
  const connect = connecting.createConnection.bind(agent);
  connecting.createConnection = (options, done) => {
    const isPinned =
      options.host?.toLowerCase().replace(/^\[|\]$/g, '') === host && Number(options.port) === port;
    return isPinned ? connect(options, done) : done(new Error('the agent is pinned to another server'));
  };
}

function unsafe(why: UnsafeUrl | 'unresolved', cause?: unknown): SecurityError {
  return new SecurityError('VALIDATION_FAILED', 'The URL does not lead to a public server', {
    reason: `url.${why}`,
    cause,
  });
}
