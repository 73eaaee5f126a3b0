import { inspect, isDeepStrictEqual } from 'node:util';

import { expect } from 'vitest';

import { COMPILED_ENGINE, type DtoEngine, STOCK_ENGINE } from '../../../lib/validation/dto-engine.js';

export type Dto = new () => object;

/** What became of a value, failures included. */
export interface Outcome {
  readonly failed: string | undefined;
  readonly instance: unknown;
  readonly errors: unknown;
}

/** What an engine makes of a raw value, and says of it. */
export async function outcomeOf(engine: DtoEngine, dto: Dto, value: object): Promise<Outcome> {
  let instance: object;
  try {
    instance = engine.make(dto, value);
  } catch (error) {
    return { failed: `made: ${told(error)}`, instance: undefined, errors: undefined };
  }
  return checked(engine, instance);
}

/** What an engine says of an instance. */
export async function checked(engine: DtoEngine, instance: object): Promise<Outcome> {
  try {
    return { failed: undefined, instance, errors: await engine.check(instance) };
  } catch (error) {
    return { failed: `checked: ${told(error)}`, instance, errors: undefined };
  }
}

/** Holds class-validator with class-transformer, and what is compiled, against each other; hands back what both say. */
export async function sameBothWays(dto: Dto, value: () => object): Promise<Outcome> {
  const stock = await outcomeOf(STOCK_ENGINE, dto, value());
  const compiled = await outcomeOf(COMPILED_ENGINE, dto, value());
  expectSame(compiled, stock);
  return compiled;
}

/** Deep equality to the last prototype, and the order of members as well. */
export function expectSame(compiled: Outcome, stock: Outcome): void {
  if (isDeepStrictEqual(compiled, stock) && orderOf(compiled) === orderOf(stock)) return;
  // Where somebody follows asynchronous calls, each promise has numbers of its own.
  const expected = shown(stock);
  expect(shown(compiled)).toBe(expected);
  if (expected.includes('Promise {')) return;
  expect(compiled).toStrictEqual(stock);
  expect(orderOf(compiled)).toBe(orderOf(stock));
}

const SHOWN = { depth: 30, sorted: true, maxArrayLength: null, maxStringLength: null } as const;

function shown(outcome: Outcome): string {
  const numbers = /\[Symbol\((?:async_id_symbol|trigger_async_id_symbol|kResourceStore)\)\]: [^,}\n]+/g;
  return inspect(outcome, SHOWN).replaceAll(numbers, '');
}

function orderOf(outcome: Outcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

/** What kind of failure it was. */
export function told(error: unknown): string {
  return error instanceof Error ? error.constructor.name : String(error);
}
