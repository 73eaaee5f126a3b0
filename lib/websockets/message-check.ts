import { SecurityError } from '../errors/security-error.js';
import type { JsonLimits } from '../http/json/json-limits.js';
import { parseStrictJson } from '../http/json/strict-json.js';

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const EVENT_LENGTH = 128;

/** Counts the messages of one connection, in whole seconds: no more than twice the bound in any of them. */
export class MessageRate {
  #second = -1;
  #count = 0;

  constructor(private readonly most: number) {}

  /** @param now monotonic milliseconds @returns whether one more is within the bound */
  take(now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    return ++this.#count <= this.most;
  }
}

/**
 * Holds a frame against what Nest's adapter for `ws` takes: JSON in the strict sense, `{ event, data }` and nothing else.
 *
 * @throws SecurityError `MALFORMED_REQUEST`, `PAYLOAD_TOO_COMPLEX`
 */
export function checkFrame(data: unknown, isBinary: boolean, limits: JsonLimits): void {
  if (isBinary) throw malformed('message.binary');
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(String(data));
  const value = parseStrictJson(bytes, limits);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('message.shape');
  const { event, ...rest } = value as Record<string, unknown>;
  const others = Object.keys(rest).filter((name) => name !== 'data');
  if (typeof event !== 'string' || event.length > EVENT_LENGTH || others.length > 0)
    throw malformed('message.shape');
}

/**
 * Holds what socket.io has parsed already against the limits of bodies.
 *
 * @param packet the event's name, its arguments, and perhaps a function to acknowledge it
 * @throws SecurityError `MALFORMED_REQUEST`, `PAYLOAD_TOO_COMPLEX`
 */
export function checkPacket([event, ...args]: readonly unknown[], limits: JsonLimits): void {
  if (typeof event !== 'string' || event.length > EVENT_LENGTH) throw malformed('message.shape');
  const values = typeof args.at(-1) === 'function' ? args.slice(0, -1) : args;
  if (values.length > 1) throw malformed('message.shape');
  const seen = { keys: 0 };
  for (const value of values) checkValue(value, limits, 0, seen);
}

function checkValue(value: unknown, limits: JsonLimits, depth: number, seen: { keys: number }): void {
  if (typeof value === 'string' && value.length > limits.maxStringLength) throw tooComplex();
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw malformed('message.binary');
  if (depth >= limits.maxDepth) throw tooComplex();
  if (Array.isArray(value)) {
    if (value.length > limits.maxItems) throw tooComplex();
    for (const one of value) checkValue(one, limits, depth + 1, seen);
    return;
  }
  for (const name of Object.keys(value)) {
    if (FORBIDDEN.has(name)) throw malformed('message.name');
    if (name.length > limits.maxKeyLength || ++seen.keys > limits.maxKeys) throw tooComplex();
    checkValue((value as Record<string, unknown>)[name], limits, depth + 1, seen);
  }
}

function malformed(reason: string): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'The message is malformed', { reason });
}

function tooComplex(): SecurityError {
  return new SecurityError('PAYLOAD_TOO_COMPLEX', 'The message is too complex', {
    reason: 'message.complex',
  });
}
