import { HttpException } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { SecurityError } from '../errors/security-error.js';
import { type DetailOptions, Findings } from './details.js';
import { COMPILED_ENGINE, type DtoEngine, STOCK_ENGINE } from './dto-engine.js';
import { shapeOf } from './dto-shape.js';
import { addValidationErrors } from './error-details.js';
import { isFaultOfValue } from './fault-of-value.js';
import type { InputPath } from './input-path.js';
import { convertTexts, type TextSource } from './text-conversion.js';
import type { DtoClass } from './transformer-storage.js';
import { isPlainObject, scanObject } from './unexpected-fields.js';

/** How a {@link DtoValidator} works. */
export interface DtoValidatorOptions extends DetailOptions {
  /** See `ValidationOptions.compiled`; `true` by default. */
  readonly compiled?: boolean;
}

/** Makes instances of a class from raw input, or says what is wrong with it. */
export class DtoValidator {
  readonly #engine: DtoEngine;

  constructor(private readonly options: DtoValidatorOptions) {
    this.#engine = options.compiled === false ? STOCK_ENGINE : COMPILED_ENGINE;
  }

  /**
   * The instance that a body, or a part of one, describes.
   * @param path where the part stands; nothing for the whole body
   * @throws SecurityError `MALFORMED_REQUEST` without a body, `UNEXPECTED_FIELDS`, `VALIDATION_FAILED`, `PAYLOAD_TOO_COMPLEX`
   */
  body(value: unknown, dto: DtoClass, path: InputPath | undefined): object | Promise<object> {
    if (path === undefined && (value === undefined || value === null)) throw missingBody();
    const findings = new Findings(path);
    if (!isPlainObject(value)) throw this.#noObject(path, findings);
    scanObject(value, shapeOf(dto), path, findings);
    return this.#finish(value, dto, path, findings);
  }

  /** The instance that a whole query, or all path parameters, describe. */
  texts(value: unknown, dto: DtoClass, source: TextSource): object | Promise<object> {
    const findings = new Findings(undefined);
    if (value !== undefined && !isPlainObject(value)) throw this.#noObject(undefined, findings);
    const converted = convertTexts(value ?? {}, dto, source, findings);
    return this.#finish(converted, dto, undefined, findings);
  }

  #finish(
    input: object,
    dto: DtoClass,
    path: InputPath | undefined,
    findings: Findings,
  ): object | Promise<object> {
    if (findings.hasUnexpected) throw findings.toError(this.options);
    // Nothing is made of a class without rules: it might be any, `Function` included.
    if (shapeOf(dto).byName.size === 0) {
      findings.addBroken(path, 'unknownValue', 'The value cannot be validated');
      throw findings.toError(this.options);
    }
    const instance = this.#convert(input, dto, path, findings);
    const errors = this.#check(instance, path, findings);
    return errors instanceof Promise
      ? errors.then(
          (found) => this.#judge(input, instance, found, path, findings),
          (error: unknown) => this.#unanswered(error, path, findings),
        )
      : this.#judge(input, instance, errors, path, findings);
  }

  #judge(
    input: object,
    instance: object,
    errors: readonly ValidationError[],
    path: InputPath | undefined,
    findings: Findings,
  ): object {
    if (errors.length === 0 && findings.none) return instance;
    if (findings.none) {
      addValidationErrors(errors, instance, input, path, findings);
      if (findings.none) return instance;
    } else {
      const later = new Findings(path);
      addValidationErrors(errors, instance, input, path, later);
      findings.merge(later);
    }
    throw findings.toError(this.options);
  }

  #check(instance: object, path: InputPath | undefined, findings: Findings): ReturnType<DtoEngine['check']> {
    try {
      return this.#engine.check(instance);
    } catch (error) {
      return this.#unanswered(error, path, findings);
    }
  }

  /** A rule or condition of the application's has thrown: over a value that it did not expect, which then keeps no rule. */
  #unanswered(error: unknown, path: InputPath | undefined, findings: Findings): never {
    if (findings.none) {
      if (!isFaultOfValue(error)) throw error;
      findings.addBroken(path, 'validate', 'A value cannot be validated');
    }
    throw findings.toError(this.options, error);
  }

  /** A conversion of the application's that throws could not convert what the client sent. */
  #convert(input: object, dto: DtoClass, path: InputPath | undefined, findings: Findings): object {
    try {
      return this.#engine.make(dto, findings.unfit.size > 0 ? without(input, findings.unfit) : input);
    } catch (error) {
      if (error instanceof HttpException) throw error;
      findings.addBroken(path, 'transform', 'A value cannot be converted');
      throw findings.toError(this.options, error);
    }
  }

  #noObject(path: InputPath | undefined, findings: Findings): SecurityError {
    findings.addBroken(path, 'isObject', `${path?.name ?? 'The value'} must be an object`);
    return findings.toError(this.options);
  }
}

/** What a handler that takes a body gets told about when there is none. */
export function missingBody(): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'Request body is required', { reason: 'body.missing' });
}

function without(input: object, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.has(name)));
}
