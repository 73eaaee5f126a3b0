import { plainToInstance } from 'class-transformer';
import type { ValidationError, ValidatorOptions } from 'class-validator';

import { checkInstance } from './compiled/class-check.js';
import { convert } from './compiled/conversion.js';
import type { DtoClass } from './transformer-storage.js';
import { classValidator } from './validation-packages.js';

/** What makes instances and holds them against their rules. */
export interface DtoEngine {
  /** The instance that a raw value describes. */
  make(dto: DtoClass, value: object): object;
  /** The rules that it breaks. */
  check(instance: object): ValidationError[] | Promise<ValidationError[]>;
}

const RULES: ValidatorOptions = Object.freeze({
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: Object.freeze({ target: false, value: false }),
});

/** class-transformer and class-validator themselves. */
export const STOCK_ENGINE: DtoEngine = Object.freeze({
  make: (dto: DtoClass, value: object) => plainToInstance(dto as new () => object, value),
  check: (instance: object) => classValidator().validate(instance, RULES),
});

/** The same, from what each class's decorators say, looked up once. */
export const COMPILED_ENGINE: DtoEngine = Object.freeze({
  make: (dto: DtoClass, value: object) => convert(value, dto) as object,
  check: checkInstance,
});
