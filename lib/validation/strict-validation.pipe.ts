import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';

import type { ValidationError } from 'class-validator';

import { SecurityError } from '../errors/security-error.js';
import { compiledDto } from './compiled-dto.js';
import { type DtoClass, isDtoClass, type RawKind } from './dto-shape.js';
import { addValidationErrors, DetailList } from './error-details.js';
import { checkRaw } from './raw-check.js';
import { convert, convertTexts, type TextValues } from './text-conversion.js';
import type { ValidationOptions } from './validation.options.js';

const PRIMITIVES = new Map<unknown, RawKind>([
  [String, 'string'],
  [Number, 'number'],
  [Boolean, 'boolean'],
]);

/** Carries class-validator's errors from the base pipe to ours. */
class RulesBroken extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('validation failed');
  }
}

/**
 * Nest's ValidationPipe, made strict: unknown fields are refused at every depth and under any name, bodies are never
 * converted, query and path parameters only by exact spelling, errors follow the contract.
 * The module sets it up for the whole application; alone it is used like any pipe.
 *
 * @example
 * app.useGlobalPipes(new StrictValidationPipe());
 */
@Injectable()
export class StrictValidationPipe extends ValidationPipe {
  readonly #maxDetails: number;

  constructor({ maxDetails = 20 }: ValidationOptions = {}) {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
      // One pipe serves many requests at once: what differs between them cannot be kept in it.
      exceptionFactory: (errors) => new RulesBroken(errors),
    });
    this.#maxDetails = maxDetails;
  }

  /** @throws SecurityError `UNEXPECTED_FIELDS`, `VALIDATION_FAILED`; `MALFORMED_REQUEST` if a body is missing */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype, data } = metadata;
    // What an application's own parameter decorators hand over is its own business.
    if (type === 'custom') return value;
    const kind = PRIMITIVES.get(metatype);
    if (kind !== undefined) {
      return data === undefined ? value : this.#primitive(value, kind, data, type === 'body');
    }
    if (!isDtoClass(metatype)) return value;
    return this.#dto(value, metatype, metadata);
  }

  async #dto(value: unknown, dto: DtoClass, metadata: ArgumentMetadata): Promise<unknown> {
    const list = new DetailList(this.#maxDetails);
    const root = metadata.data === undefined ? undefined : { parent: undefined, name: metadata.data };
    let input = value;
    if (metadata.type === 'body') {
      if (value === undefined) {
        throw new SecurityError('MALFORMED_REQUEST', 'A request body is required', {
          reason: 'body.missing',
        });
      }
      checkRaw(value, dto, root, list);
    } else input = convertTexts((value ?? {}) as TextValues, dto, list);
    list.throwIfAny();
    // Nearly every request is valid: only the others pay for being told exactly what is wrong.
    const accepted = compiledDto(dto)?.accept(input as object);
    if (accepted !== undefined) return accepted;
    try {
      return await super.transform(input, metadata);
    } catch (error) {
      if (!(error instanceof RulesBroken)) throw error;
      addValidationErrors(error.errors, dto, root, list);
      list.throwIfAny();
      throw error;
    }
  }

  /** One parameter by itself, such as `@Query('page') page: number`: of its type, or absent. */
  #primitive(value: unknown, kind: RawKind, name: string, isBody: boolean): unknown {
    if (value === undefined) return undefined;
    const list = new DetailList(1);
    const path = { parent: undefined, name };
    if (isBody) {
      if (typeof value === kind) return value;
      list.addBroken(path, `is${kind[0]!.toUpperCase()}${kind.slice(1)}`, `${name} must be a ${kind}`);
    } else if (typeof value !== 'string') {
      list.addBroken(path, 'isSingle', `${name} must be given once`);
    } else {
      const converted = convert(value, kind, false);
      if (converted.value !== undefined) return converted.value;
      list.addBroken(path, converted.rule, `${name} must be ${converted.expected}`);
    }
    list.throwIfAny();
    return undefined;
  }
}
