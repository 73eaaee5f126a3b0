import { isIP } from 'node:net';

/** Stands for every client whose address cannot be known: they share one counter (R-RL-08). */
export const UNKNOWN_ADDRESS = 'unknown';

/** The groups of the IPv6 address read last; shared, because nothing here can be interrupted. */
const groups = new Uint16Array(8);

/**
 * The one spelling of an address: IPv4-mapped IPv6 as IPv4, other IPv6 as RFC 5952 §4 writes it, without zone.
 *
 * @returns undefined if the text is no address
 */
export function canonicalAddress(text: string): string | undefined {
  if (!text.includes(':')) return isIP(text) === 4 ? text : undefined;
  if (!readIpv6(text)) return undefined;
  return isMapped() ? mappedAddress() : compressed();
}

/**
 * How limits count an address: IPv4 whole, IPv6 by prefix, because one customer has a whole network of them (R-RL-08).
 * All spellings of an address give one key; what is no address gives `unknown`.
 *
 * @param ipv6Prefix bits that count, up to 64
 */
export function addressKey(address: string, ipv6Prefix = 64): string {
  if (!address.includes(':')) return isIP(address) === 4 ? address : UNKNOWN_ADDRESS;
  if (!readIpv6(address)) return UNKNOWN_ADDRESS;
  if (isMapped()) return mappedAddress();
  let network = '';
  for (let i = 0; i < 4; i++) {
    const bits = Math.min(16, Math.max(0, ipv6Prefix - 16 * i));
    network += `${(groups[i]! & (0xffff << (16 - bits))).toString(16)}:`;
  }
  return `${network}:/${ipv6Prefix}`;
}

/** Fills `groups`; the zone, which only means something on the host that named it, is left out. */
function readIpv6(text: string): boolean {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  if (isIP(address) !== 6) return false;
  let count = 0;
  let gap = -1;
  let start = 0;
  for (let i = 0; i <= address.length; i++) {
    if (i < address.length && address.charCodeAt(i) !== 0x3a) continue;
    if (i > start) count = readGroup(address, start, i, count);
    else if (i > 0 && i < address.length) gap = count;
    start = i + 1;
  }
  if (gap >= 0) {
    // What stands right of `::` belongs at the end, and zeros between.
    groups.copyWithin(8 - (count - gap), gap, count);
    groups.fill(0, gap, 8 - (count - gap));
  }
  return true;
}

/** Reads one group, or the dotted tail, which fills two; returns how many groups there are now. */
function readGroup(address: string, start: number, end: number, count: number): number {
  if (end === address.length && address.includes('.')) {
    const [a = 0, b = 0, c = 0, d = 0] = address.slice(start).split('.').map(Number);
    groups[count] = a * 256 + b;
    groups[count + 1] = c * 256 + d;
    return count + 2;
  }
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = address.charCodeAt(i);
    value = value * 16 + (code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57);
  }
  groups[count] = value;
  return count + 1;
}

function isMapped(): boolean {
  return (groups[0]! | groups[1]! | groups[2]! | groups[3]! | groups[4]!) === 0 && groups[5] === 0xffff;
}

function mappedAddress(): string {
  return `${groups[6]! >> 8}.${groups[6]! & 255}.${groups[7]! >> 8}.${groups[7]! & 255}`;
}

/** Lower case, and `::` for the first of the longest runs of two zero groups or more. */
function compressed(): string {
  let longest = 1;
  let gap = -1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > longest) {
      longest = end - i;
      gap = i;
    }
    i = Math.max(i, end);
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += '::';
      i += longest - 1;
    } else {
      text += (text === '' || text.endsWith(':') ? '' : ':') + groups[i]!.toString(16);
    }
  }
  return text;
}
