import { type ArgumentMetadata, type PipeTransform, ValidationPipe } from '@nestjs/common';
import {
  isEmail,
  isIn,
  isInt,
  isISO8601,
  isString,
  isUUID,
  length,
  max,
  maxLength,
  min,
} from 'class-validator';
import { config, z } from 'zod';

import { CreateOrderDto } from './order.dto.js';

/** Judges a body; what it makes of a refusal is its own affair. */
export type Judge = (body: object) => unknown;

const METADATA: ArgumentMetadata = { type: 'body', metatype: CreateOrderDto };

async function piped(pipe: PipeTransform, body: object): Promise<unknown> {
  try {
    return (await pipe.transform(body, METADATA)) as unknown;
  } catch (error) {
    return error;
  }
}

interface Validator {
  readonly judge: Judge;
  /** It hands back a promise. */
  readonly waits: boolean;
}

const piping = (pipe: PipeTransform): Validator => ({ judge: (body) => piped(pipe, body), waits: true });

async function ofModule(compiled: boolean): Promise<Validator> {
  const { StrictValidationPipe } = await import('nestjs-api-security');
  return piping(new StrictValidationPipe({ compiled }));
}

function ofZod(jitless: boolean): Validator {
  // By default zod writes code for each schema and compiles it with `new Function`.
  config({ jitless });
  const schema = orderSchema();
  return { judge: (body) => schema.safeParse(body), waits: false };
}

/** The ways to validate the order of nine fields. */
export const VALIDATORS: Readonly<Record<string, () => Validator | Promise<Validator>>> = {
  module: () => ofModule(true),
  'module, compiled: false': () => ofModule(false),
  ValidationPipe: () =>
    piping(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true })),
  'zod 4': () => ofZod(false),
  'zod 4, jitless': () => ofZod(true),
  'checks alone': () => ({ judge: (body) => checksAlone(body as CreateOrderDto), waits: false }),
};

function orderSchema(): z.ZodType {
  const address = z.strictObject({
    street: z.string().min(1).max(100),
    city: z.string().min(1).max(60),
    country: z.string().length(2),
  });
  return z.strictObject({
    reference: z.uuid(),
    email: z.email(),
    name: z.string().min(1).max(80),
    delivery: z.enum(['standard', 'express', 'pickup']),
    wantedOn: z.iso.datetime(),
    quantity: z.int().min(1).max(1_000),
    sku: z.string().max(40),
    note: z.string().max(500).optional(),
    address,
  });
}

/** The functions that class-validator's decorators of the order call, and nothing else: what no validator on them can beat. */
function checksAlone(order: CreateOrderDto): boolean {
  const { address, note } = order;
  return (
    isUUID(order.reference) &&
    isEmail(order.email) &&
    isString(order.name) &&
    length(order.name, 1, 80) &&
    isIn(order.delivery, ['standard', 'express', 'pickup']) &&
    isISO8601(order.wantedOn) &&
    isInt(order.quantity) &&
    min(order.quantity, 1) &&
    max(order.quantity, 1_000) &&
    isString(order.sku) &&
    maxLength(order.sku, 40) &&
    (note === undefined || (isString(note) && maxLength(note, 500))) &&
    isString(address.street) &&
    length(address.street, 1, 100) &&
    isString(address.city) &&
    length(address.city, 1, 60) &&
    isString(address.country) &&
    length(address.country, 2, 2)
  );
}
