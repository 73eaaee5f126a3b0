import { createRequire } from 'node:module';

import type { ValidationPipeOptions } from '@nestjs/common';
import * as classTransformer from 'class-transformer';

type ClassValidator = typeof import('class-validator');

const require = createRequire(import.meta.url);
let loaded: ClassValidator | undefined;

/**
 * class-validator, loaded at its first use: it takes a third of the time that this module needs to start, and an application
 * whose classes have rules has loaded it already.
 */
export function classValidator(): ClassValidator {
  return (loaded ??= require('class-validator') as ClassValidator);
}

/** What Nest's pipe would otherwise load by itself as soon as it is made. */
export const PIPE_PACKAGES: Pick<ValidationPipeOptions, 'validatorPackage' | 'transformerPackage'> = {
  validatorPackage: {
    validate: (object: object, options: object) => classValidator().validate(object, options),
  },
  transformerPackage: classTransformer,
};
