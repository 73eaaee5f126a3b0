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

export const VALIDATORS = [
  'module',
  'module, compiled: false',
  'ValidationPipe',
  'zod 4',
  'zod 4, jitless',
  'checks alone',
] as const;
export type ValidatorName = (typeof VALIDATORS)[number];

const METADATA: ArgumentMetadata = { type: 'body', metatype: CreateOrderDto };

async function piped(pipe: PipeTransform, body: object): Promise<unknown> {
  try {
    return (await pipe.transform(body, METADATA)) as unknown;
  } catch (error) {
    return error;
  }
}

/** One way to validate the order of nine fields; `waits` if it takes a promise. */
export async function createValidator(name: ValidatorName): Promise<{ judge: Judge; waits: boolean }> {
  switch (name) {
    case 'module':
    case 'module, compiled: false': {
      const { StrictValidationPipe } = await import('nestjs-api-security');
      const pipe = new StrictValidationPipe({ compiled: name === 'module' });
      return { judge: (body) => piped(pipe, body), waits: true };
    }
    case 'ValidationPipe': {
      const pipe = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });
      return { judge: (body) => piped(pipe, body), waits: true };
    }
    case 'checks alone':
      return { judge: (body) => checksAlone(body as CreateOrderDto), waits: false };
    case 'zod 4':
    case 'zod 4, jitless': {
      // By default zod writes code for each schema and compiles it with `new Function`.
      config({ jitless: name === 'zod 4, jitless' });
      const schema = orderSchema();
      return { judge: (body) => schema.safeParse(body), waits: false };
    }
  }
}

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
