import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Names and values, ready to be put on a response. */
export type HeaderList = readonly (readonly [name: string, value: string, lowerName: string])[];

type Entries = Record<string, [name: string, value: string | number]>;

/**
 * The object that Node keeps headers in has no prototype, which makes it a hash table that grows with every header. One
 * made by a constructor over an empty prototype is the same to Node, and keeps its fields in place.
 */
const OutHeaders = function (this: Entries, headers: HeaderList): void {
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    this[header[2]] = [header[0], header[1]];
  }
} as unknown as new (headers: HeaderList) => Entries;
OutHeaders.prototype = Object.freeze(Object.create(null) as object);

/**
 * Node keeps the headers of a response in an object under a symbol. `setHeader()` checks name and value each time; ours
 * were checked at boot, so they go straight in, at a tenth of the cost. Undefined if this Node does it in another way.
 */
const OUT_HEADERS = findOutHeaders();

/** Makes a list, once. */
export function headerList(headers: Iterable<readonly [name: string, value: string]>): HeaderList {
  return Object.freeze(
    Array.from(headers, ([name, value]) => Object.freeze([name, value, name.toLowerCase()] as const)),
  );
}

/** Puts a whole list on a response that has no headers yet. */
export function putHeaders(response: ServerResponse, headers: HeaderList): void {
  // Null is a response of HTTP/1 without headers; HTTP/2 has none of this.
  if (OUT_HEADERS === undefined || (response as unknown as Record<symbol, unknown>)[OUT_HEADERS] !== null) {
    for (const [name, value] of headers) response.setHeader(name, value);
    return;
  }
  (response as unknown as Record<symbol, Entries>)[OUT_HEADERS] = new OutHeaders(headers);
}

/** Sets one header whose name and value are known to be good: `lower` is the name in lower case. */
export function putHeader(
  response: ServerResponse,
  name: string,
  lower: string,
  value: string | number,
): void {
  const entries = OUT_HEADERS && (response as unknown as Record<symbol, Entries | null>)[OUT_HEADERS];
  if (entries && !response.headersSent) entries[lower] = [name, value];
  else response.setHeader(name, value);
}

/** Tries it on a response that goes nowhere: what is put in must come out through the public interface, exactly. */
function findOutHeaders(): symbol | undefined {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.setHeader('X-Probe', 'a');
  const symbol = Object.getOwnPropertySymbols(response).find(
    ({ description }) => description === 'kOutHeaders',
  );
  if (symbol === undefined) return undefined;
  (response as unknown as Record<symbol, unknown>)[symbol] = new OutHeaders([['X-Other', 'b', 'x-other']]);
  const works =
    response.getHeader('X-OTHER') === 'b' &&
    !response.hasHeader('X-Probe') &&
    response.getHeaderNames().join() === 'x-other' &&
    response.setHeader('X-Probe', 'c').getHeader('x-probe') === 'c';
  return works ? symbol : undefined;
}
