import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type ByteSize, type Duration, parseByteSize, parseDuration } from '../configuration/units.js';

/** What `WebsocketSecurityModule.forRoot()` takes. */
export interface WebsocketSecurityOptions {
  /** Web origins whose pages may connect, such as `https://app.example.com`; only those of the request's own host by default. */
  readonly origins?: readonly string[];
  /** Largest message; `'64kb'` by default, up to 10 MiB. What is larger ends the connection. */
  readonly maxMessageSize?: ByteSize;
  /** Messages of one connection in a second, whatever they ask for, heartbeats and acknowledgements too; 100 by default, 1–10 000. What sends more is ended. */
  readonly maxMessagesPerSecond?: number;
  /** How often the credentials of silent connections are looked at again; `'30s'` by default, 1 s – 1 h. */
  readonly recheckEvery?: Duration;
}

/** The options, complete. */
export interface WebsocketSettings {
  readonly origins: ReadonlySet<string>;
  readonly maxMessageBytes: number;
  readonly maxMessagesPerSecond: number;
  readonly recheckMs: number;
}

const MAX_MESSAGE = 10_485_760;
const KNOWN: readonly string[] = [
  'origins',
  'maxMessageSize',
  'maxMessagesPerSecond',
  'recheckEvery',
] satisfies (keyof WebsocketSecurityOptions)[];

/** Fills in the defaults; what makes no sense is told by {@link checkWebsocketOptions}. */
export function completeWebsocketOptions(options: WebsocketSecurityOptions): WebsocketSettings {
  return Object.freeze({
    origins: new Set(Array.isArray(options.origins) ? options.origins : []),
    maxMessageBytes: parseByteSize(options.maxMessageSize ?? '64kb') ?? 65_536,
    maxMessagesPerSecond: options.maxMessagesPerSecond ?? 100,
    recheckMs: parseDuration(options.recheckEvery ?? '30s') ?? 30_000,
  });
}

/** Reports options that are no options, or have a value that means nothing (R-CF-01). */
export function checkWebsocketOptions(
  options: WebsocketSecurityOptions,
  problems: ConfigurationProblems,
): void {
  const where = (name: string) => `WebsocketSecurityModule ${name}`;
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      problems.add('websocket.unknown-option', where(name), 'is not an option', `use ${KNOWN.join(', ')}`);
  }
  const origins: unknown = options.origins ?? [];
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    const fix = "list origins such as 'https://app.example.com', without a path";
    problems.add('websocket.origins', where('origins'), 'holds something that is no origin', fix);
  }
  const size = parseByteSize(options.maxMessageSize ?? '64kb');
  if (size === undefined || size < 1 || size > MAX_MESSAGE)
    problems.add(
      'websocket.size',
      where('maxMessageSize'),
      'is no size up to 10 MiB',
      "leave it out for '64kb'",
    );
  const rate = options.maxMessagesPerSecond ?? 100;
  if (!Number.isInteger(rate) || rate < 1 || rate > 10_000) {
    const fix = 'leave it out for 100';
    problems.add('websocket.rate', where('maxMessagesPerSecond'), 'is no whole number from 1 to 10 000', fix);
  }
  const recheck = parseDuration(options.recheckEvery ?? '30s');
  if (recheck === undefined || recheck < 1_000 || recheck > 3_600_000)
    problems.add(
      'websocket.recheck',
      where('recheckEvery'),
      'is no time from 1 s to 1 h',
      "leave it out for '30s'",
    );
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
}
