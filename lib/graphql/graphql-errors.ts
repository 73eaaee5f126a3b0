import { HttpException } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import { answerTo, type ErrorAnswer } from '../errors/error-answer.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEventContext } from '../events/security-event.js';
import type { FailureReports } from '../pipeline/failure-reports.js';
import { extensionsOf } from './graphql-answer.js';

const OWN_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Codes that drivers give to what a document or its variables break, in the contract's words. */
const DRIVER_CODES: ReadonlyMap<string, 'MALFORMED_REQUEST' | 'VALIDATION_FAILED'> = new Map([
  ['GRAPHQL_PARSE_FAILED', 'MALFORMED_REQUEST'],
  ['BAD_REQUEST', 'MALFORMED_REQUEST'],
  ['OPERATION_RESOLUTION_FAILURE', 'MALFORMED_REQUEST'],
  ['GRAPHQL_VALIDATION_FAILED', 'VALIDATION_FAILED'],
  ['BAD_USER_INPUT', 'VALIDATION_FAILED'],
]);
const HIDDEN = 'INTERNAL_SERVER_ERROR';

/** Turns whatever a driver has to say about a failure into the contract's codes; nothing of an unknown exception gets through. */
export class GraphqlErrors {
  readonly #reported = new WeakSet<object>();

  constructor(private readonly reports: FailureReports) {}

  /** What the client is told of one error, in the place where it happened. */
  format(error: unknown): GraphQLFormattedError {
    const { message, locations, path } = error as Partial<GraphQLError>;
    const answer = this.#answerTo(error, path !== undefined);
    return {
      message: answer?.message ?? withoutValues(String(message)),
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: answer ? extensionsOf(answer) : { code: this.#codeOf(error) },
    };
  }

  /** Tells log and events of what went wrong, once. */
  report(exception: unknown, answer: ErrorAnswer, context: SecurityEventContext): void {
    if (typeof exception === 'object' && exception !== null) {
      if (this.#reported.has(exception)) return;
      this.#reported.add(exception);
    }
    this.reports.report(exception, answer, context);
  }

  /** Undefined for an error whose own words are for the client. */
  #answerTo(error: unknown, resolving: boolean): ErrorAnswer | undefined {
    const cause = causeOf(error);
    if (cause instanceof GraphQLError && (isDeliberate(cause) || (!resolving && !isHidden(cause))))
      return undefined;
    const ours = cause instanceof SecurityError || cause instanceof HttpException;
    const answer = answerTo(cause, ours);
    this.report(cause, answer, {});
    return answer;
  }

  #codeOf(error: unknown): string {
    const code = (causeOf(error) as GraphQLError).extensions['code'];
    if (typeof code !== 'string' || !OWN_CODE.test(code)) return 'VALIDATION_FAILED';
    return DRIVER_CODES.get(code) ?? code;
  }
}

/** Drivers and graphql-js wrap errors in errors: the innermost says what happened. */
function causeOf(error: unknown): unknown {
  let cause = error;
  for (let i = 0; i < 10 && cause instanceof GraphQLError && cause.originalError; i++)
    cause = cause.originalError;
  return cause;
}

/** What a resolver throws with a code is meant to be read; what graphql-js throws about a result may quote it. */
function isDeliberate({ extensions, path }: GraphQLError): boolean {
  const { code } = extensions;
  return path === undefined && typeof code === 'string' && OWN_CODE.test(code) && code !== HIDDEN;
}

function isHidden({ extensions }: GraphQLError): boolean {
  return extensions['code'] === HIDDEN;
}

/** The words of graphql-js without the values that it quotes, and without suggestions of names that a client does not know. */
function withoutValues(message: string): string {
  return message
    .replace(/ Did you mean [\s\S]*$/, '')
    .replace(/ got invalid value [\s\S]*$/, ' got an invalid value')
    .replace(/(cannot represent [^:]{1,100}):[\s\S]*$/, '$1')
    .replace(/, found [\s\S]*$/, '')
    .slice(0, 512);
}
