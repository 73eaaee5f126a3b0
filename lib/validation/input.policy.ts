import { Logger } from '@nestjs/common';

import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import { documentBodies } from './body-documentation.js';
import { compileDto } from './compiled-dto.js';
import { checkDeclaredInputs, inputsOf, queryNames } from './declared-input.js';
import { ownPipes } from './own-pipes.js';
import type { ValidationOptions } from './validation.options.js';

/** Compiles the classes and names that a handler takes, and checks on the way that all it takes can be validated. */
export function inputPart(options: ValidationOptions | undefined): PolicyPart<'query'> {
  const logger = new Logger('Security');
  return (route, problems) => {
    for (const pipe of ownPipes(route.metadata, route.methodName)) pipe.adopt(options ?? {});
    const found = options?.undeclared === 'warn' ? new ConfigurationProblems() : problems;
    checkDeclaredInputs(route, found);
    if (found !== problems) {
      for (const { where, problem, fix } of found.all) logger.warn(`${where} ${problem}: ${fix}`);
    }
    if (options?.compiled !== false) {
      for (const { dtos } of inputsOf(route.metadata, route.methodName)) dtos.forEach(compileDto);
    }
    documentBodies(route.metadata, route.methodName);
    const names = queryNames(route.metadata, route.methodName);
    // Something outside the handler may still read the query of a route that declares none.
    return found !== problems && names?.size === 0 ? undefined : names;
  };
}
