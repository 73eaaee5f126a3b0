import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Names and values, ready to be put on a response. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

type Entries = Record<string, [name: string, value: string | number]>;

/**
 * Node keeps the headers of a response in an object under a symbol. `setHeader()` checks name and value each time; ours
 * were checked at boot, so they go straight in, at a tenth of the cost. Undefined if this Node does it in another way.
 */
const OUT_HEADERS = findOutHeaders();

/** Puts a whole list on a response that has no headers yet. */
export function putHeaders(response: ServerResponse, headers: HeaderList): void {
  // Null is a response of HTTP/1 without headers; HTTP/2 has none of this.
  if (OUT_HEADERS === undefined || (response as unknown as Record<symbol, unknown>)[OUT_HEADERS] !== null) {
    for (const [name, value] of headers) response.setHeader(name, value);
    return;
  }
  const entries: Entries = { __proto__: null } as unknown as Entries;
  for (let i = 0; i < headers.length; i++) {
    const name = headers[i]![0];
    entries[lowerCase(name)] = [name, headers[i]![1]];
  }
  (response as unknown as Record<symbol, Entries>)[OUT_HEADERS] = entries;
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

const lowered = new Map<string, string>();

/** Only for names from the configuration: the map would grow with any others. */
function lowerCase(name: string): string {
  let lower = lowered.get(name);
  if (lower === undefined) lowered.set(name, (lower = name.toLowerCase()));
  return lower;
}

/** Tries it on a response that goes nowhere: what is put in must come out through the public interface, exactly. */
function findOutHeaders(): symbol | undefined {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.setHeader('X-Probe', 'a');
  const symbol = Object.getOwnPropertySymbols(response).find(
    ({ description }) => description === 'kOutHeaders',
  );
  if (symbol === undefined) return undefined;
  const entries = { __proto__: null, 'x-other': ['X-Other', 'b'] };
  (response as unknown as Record<symbol, unknown>)[symbol] = entries;
  const works =
    response.getHeader('X-OTHER') === 'b' &&
    !response.hasHeader('X-Probe') &&
    response.getHeaderNames().join() === 'x-other' &&
    response.setHeader('X-Probe', 'c').getHeader('x-probe') === 'c';
  return works ? symbol : undefined;
}
