import { type ArgumentMetadata, Injectable, Optional, type Type, ValidationPipe } from '@nestjs/common';

import { Findings } from './details.js';
import { shapeOf } from './dto-shape.js';
import { DtoValidator, missingBody } from './dto-validator.js';
import { member } from './input-path.js';
import { isDtoClass } from './property-shape.js';
import { SchemaValidator } from './schema/schema-validator.js';
import { convertText, wholePath } from './text-conversion.js';
import type { DtoClass } from './transformer-storage.js';
import { addWrongKind } from './unexpected-fields.js';
import { detailOptions, type ValidationOptions } from './validation.options.js';
import { PIPE_PACKAGES } from './validation-packages.js';
import {
  enumMembers,
  dateOf,
  isOfKind,
  kindOfConstructor,
  kindOfMembers,
  type ValueKind,
} from './value-kinds.js';

/** Options of a pipe that an application makes itself. */
export interface StrictValidationPipeOptions extends ValidationOptions {
  /** The class to validate against, for a parameter whose own type is gone at run time. */
  readonly expectedType?: Type<object>;
}

/**
 * Nest's ValidationPipe, made strict: unknown fields are refused at every depth and under any name, bodies are never
 * converted, query and path parameters only by exact spelling, errors follow the contract. Parameters with a schema
 * (`@Body({ schema })`) are held against it, with the same strictness.
 * The module sets it up for the whole application; alone it is used like any pipe. What parameters of type `Object` or
 * `Array` hold is not looked at: the check at boot refuses them unless they have a pipe or schema of their own.
 *
 * @example
 * app.useGlobalPipes(new StrictValidationPipe());
 */
@Injectable()
export class StrictValidationPipe extends ValidationPipe {
  readonly #dtos: DtoValidator;
  readonly #schemas: SchemaValidator;
  readonly #refuse: (findings: Findings) => Error;

  constructor(@Optional() { expectedType, ...options }: StrictValidationPipeOptions = {}) {
    super({
      ...PIPE_PACKAGES,
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
    });
    this.expectedType = expectedType;
    const details = detailOptions(options);
    this.#dtos = new DtoValidator(details);
    this.#schemas = new SchemaValidator(details);
    this.#refuse = (findings) => findings.toError(details);
  }

  /** @throws SecurityError `UNEXPECTED_FIELDS`, `VALIDATION_FAILED`; `MALFORMED_REQUEST` if a body is missing */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.schema !== undefined) return this.#schemas.validate(value, metadata.schema, metadata);
    // What an application's own decorators hand over is theirs to judge.
    if (metadata.type === 'custom') return value;
    const type: unknown = this.expectedType ?? metadata.metatype;
    const kind = kindOfConstructor(type);
    if (kind) return this.#single(value, kind, metadata);
    // `import type` leaves `Function` of a class: there are no rules to ask, so nothing gets past.
    if (isDtoClass(type) || type === Function) return this.#object(value, type as DtoClass, metadata);
    if (typeof type === 'object' && type !== null) return this.#member(value, type, metadata);
    return type === Array || metadata.data === undefined || metadata.type === 'body'
      ? value
      : this.#text(value, metadata);
  }

  #object(value: unknown, dto: DtoClass, { type, data }: ArgumentMetadata): unknown {
    if (data === undefined)
      return type === 'body'
        ? this.#dtos.body(value, dto, undefined)
        : this.#dtos.texts(value, dto, type as 'query');
    if (value === undefined) return undefined;
    // `@Param('id', ParseObjectIdPipe) id: ObjectId`: a pipe of the parameter makes the object, out of one plain value.
    const isScalar = type === 'body' ? typeof value !== 'object' : typeof value === 'string';
    if (isScalar && shapeOf(dto).byName.size === 0) return value;
    return this.#dtos.body(type === 'body' ? value : null, dto, member(undefined, data, 0));
  }

  /** A parameter of a primitive type: of that type, or absent. */
  #single(value: unknown, kind: ValueKind, { type, data }: ArgumentMetadata): unknown {
    if (value === undefined) {
      if (type === 'body' && data === undefined) throw missingBody();
      return undefined;
    }
    return type === 'body' ? this.#exact(value, kind, data) : this.#text(value, { type, data }, kind);
  }

  #exact(value: unknown, kind: ValueKind, data: string | undefined): unknown {
    if (isOfKind(value, kind)) return kind === 'date' ? dateOf(value) : value;
    const findings = new Findings(undefined);
    const path = data === undefined ? undefined : member(undefined, data, 0);
    addWrongKind(path, { inputName: data ?? 'The body', integer: false }, kind as 'string', findings, true);
    throw this.#refuse(findings);
  }

  /** One text of a query or path, converted. */
  #text(given: unknown, { type, data = '' }: ArgumentMetadata, kind: ValueKind = 'string'): unknown {
    if (given === undefined) return undefined;
    const value = type === 'param' ? wholePath(given) : given;
    const findings = new Findings(undefined);
    const path = member(undefined, data, 0);
    if (Array.isArray(value)) {
      findings.addBroken(path, 'isSingle', `${data} must be given once`);
      throw this.#refuse(findings);
    }
    const converted = convertText(value, kind, { inputName: data, integer: false }, path, findings);
    if (converted === undefined) throw this.#refuse(findings);
    return converted;
  }

  /** A parameter whose type is an enum: some compilers emit the enum itself (R-IV-14). */
  #member(value: unknown, type: object, metadata: ArgumentMetadata): unknown {
    if (value === undefined) return undefined;
    const members = enumMembers(type);
    const one = metadata.type === 'body' ? value : this.#text(value, metadata, kindOfMembers(members));
    if (members.has(one)) return one;
    const findings = new Findings(undefined);
    const name = metadata.data ?? 'The value';
    findings.addBroken(
      member(undefined, metadata.data ?? '', 0),
      'isEnum',
      `${name} must be one of the following values: ${[...members].join(', ')}`,
    );
    throw this.#refuse(findings);
  }
}
