import type { ArgumentMetadata } from '@nestjs/common';

import { type DetailOptions, Findings, inputRefused } from '../details.js';
import { missingBody } from '../dto-validator.js';
import { type InputPath, member } from '../input-path.js';
import { scanFree } from '../unexpected-fields.js';
import { detailsOf, unknownField } from './schema-issues.js';
import { type SchemaResult, type StandardSchema, strictForm } from './standard-schema.js';
import { droppedKeys, isSame, type KeyPath, withoutKeys } from './undeclared-keys.js';

/** Keys that are looked at one by one, if looking at all together does not tell. */
const LOOKED_AT = 20;

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
    const result = await schema['~standard'].validate(value);
    if (result.issues) {
      // An absent body is no body that breaks a rule, unless the schema takes it.
      if (value === undefined && type === 'body' && data === undefined) throw missingBody();
      const { unexpected, broken } = detailsOf(result.issues, value, path);
      throw unexpected.length > 0
        ? inputRefused('UNEXPECTED_FIELDS', unexpected, this.options)
        : inputRefused('VALIDATION_FAILED', broken, this.options);
    }
    // The names in a path are the route's, so none of them comes from outside.
    if (type === 'body' || type === 'query') await this.#refuseDropped(value, result, schema, path);
    return result.value;
  }

  async #refuseDropped(
    input: unknown,
    { value: output }: SchemaResult & { readonly value: unknown },
    schema: StandardSchema,
    path: InputPath | undefined,
  ): Promise<void> {
    const dropped = droppedKeys(input, output);
    if (dropped.length === 0) return;
    const unknown = (await this.#areIgnored(dropped, input, output, schema))
      ? dropped
      : await this.#ignoredAmong(dropped, input, output, schema);
    if (unknown.length === 0) return;
    const details = unknown.map((keys) => unknownField(keys, path));
    throw inputRefused('UNEXPECTED_FIELDS', details, this.options);
  }

  async #ignoredAmong(
    keys: readonly KeyPath[],
    input: unknown,
    output: unknown,
    schema: StandardSchema,
  ): Promise<KeyPath[]> {
    const ignored: KeyPath[] = [];
    for (const key of keys.slice(0, LOOKED_AT))
      if (await this.#areIgnored([key], input, output, schema)) ignored.push(key);
    return ignored;
  }

  /** A key that the schema knows, but makes something else of, is missed when it is not there. */
  async #areIgnored(
    keys: readonly KeyPath[],
    input: unknown,
    output: unknown,
    schema: StandardSchema,
  ): Promise<boolean> {
    const result = await schema['~standard'].validate(withoutKeys(input, keys));
    if (result.issues) return false;
    return isSame(result.value, output) || !(await this.#isSteady(input, output, schema));
  }

  /** Output that is never twice the same, such as a new id, does not tell whether a key counts: then none does. */
  async #isSteady(input: unknown, output: unknown, schema: StandardSchema): Promise<boolean> {
    const again = await schema['~standard'].validate(input);
    return !again.issues && isSame(again.value, output);
  }
}
