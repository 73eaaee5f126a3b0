import type { ArgumentMetadata } from '@nestjs/common';

import { type DetailOptions, Findings, inputRefused } from '../details.js';
import { missingBody } from '../dto-validator.js';
import { isFaultOfValue } from '../fault-of-value.js';
import { type InputPath, member } from '../input-path.js';
import { scanFree } from '../unexpected-fields.js';
import { repeatedScalars } from './repeated-scalars.js';
import { detailsOf, unknownField } from './schema-issues.js';
import {
  answerOf,
  inputForm,
  type SchemaResult,
  type StandardSchema,
  strictForm,
} from './standard-schema.js';
import { undeclaredKeys } from './undeclared-keys.js';

/**
 * Holds input against a Standard Schema with the strictness that DTOs have: fields that the schema does not declare are
 * refused, not dropped, and errors follow the contract (R-IV-11, R-IV-28).
 */
export class SchemaValidator {
  constructor(private readonly options: DetailOptions) {}

  /** @throws SecurityError `UNEXPECTED_FIELDS`, `VALIDATION_FAILED`; `MALFORMED_REQUEST` if a body is missing */
  async validate(
    value: unknown,
    declared: StandardSchema,
    { type, data }: ArgumentMetadata,
  ): Promise<unknown> {
    const path = data === undefined ? undefined : member(undefined, data, 0);
    const findings = new Findings(path);
    scanFree(value, path, findings, 0);
    if (findings.hasUnexpected) throw findings.toError(this.options);
    const schema = strictForm(declared);
    const result = await this.#ask(schema, value, path);
    if (result.issues) {
      // An absent body is no body that breaks a rule, unless the schema takes it.
      if (value === undefined && type === 'body' && data === undefined) throw missingBody();
      const { unexpected, broken } = detailsOf(result.issues, value, path);
      throw unexpected.length > 0
        ? inputRefused('UNEXPECTED_FIELDS', unexpected, this.options)
        : inputRefused('VALIDATION_FAILED', broken, this.options);
    }
    // The names in a path are the route's, so none of them comes from outside.
    if (type === 'body' || type === 'query')
      await this.#refuseIgnored(value, result.value, schema, path, type);
    return result.value;
  }

  async #refuseIgnored(
    input: unknown,
    made: unknown,
    schema: StandardSchema,
    path: InputPath | undefined,
    type: 'body' | 'query',
  ): Promise<void> {
    let unknown = await undeclaredKeys(input, made, schema);
    // What is made of the whole may have no members that would show what is missing.
    const form = inputForm(schema);
    if (unknown.length === 0 && form !== schema) {
      const read = await answerOf(form, input);
      if (!read.issues) unknown = await undeclaredKeys(input, read.value, form);
    }
    if (unknown.length > 0) {
      const details = unknown.map((keys) => unknownField(keys, path));
      throw inputRefused('UNEXPECTED_FIELDS', details, this.options);
    }
    if (type === 'body') return;
    const findings = new Findings(undefined);
    for (const name of await repeatedScalars(input, made, schema)) {
      const at = name === undefined ? path : member(path, name, 0);
      findings.addBroken(at, 'isSingle', `${at?.name ?? 'The value'} must be given once`);
    }
    if (!findings.none) throw findings.toError(this.options);
  }

  /** What the schema says; a function in it that throws could not convert what the client sent. */
  async #ask(schema: StandardSchema, value: unknown, path: InputPath | undefined): Promise<SchemaResult> {
    try {
      return await answerOf(schema, value);
    } catch (error) {
      if (!isFaultOfValue(error)) throw error;
      const findings = new Findings(undefined);
      findings.addBroken(path, 'transform', 'A value cannot be converted');
      throw findings.toError(this.options, error);
    }
  }
}
