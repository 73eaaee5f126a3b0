import { STATUS_CODES } from 'node:http';

import { HttpException } from '@nestjs/common';

import { type SecurityErrorCode, SECURITY_ERROR_CODES } from './error-code.js';
import { SecurityError, type SecurityErrorExtras } from './security-error.js';

/** A failure in the contract's terms, before it is written in one of the two formats. */
export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly extras: SecurityErrorExtras;
}

const MESSAGE_LENGTH = 512;
const OWN_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/**
 * What the client is told about an exception. `matched` says whether a route of the application was reached:
 * before that, an exception's text comes from the framework and may quote the request (R-ER-04).
 */
export function answerTo(exception: unknown, matched: boolean): ErrorAnswer {
  if (exception instanceof SecurityError) {
    return {
      status: exception.getStatus(),
      code: exception.code,
      message: exception.message,
      extras: exception.extras,
    };
  }
  if (exception instanceof HttpException) {
    const status: unknown = exception.getStatus();
    // An exception is a failure, whatever status it was thrown with.
    if (!isFailure(status)) return answerByStatus(500);
    const answer = answerByStatus(status);
    if (!matched) return answer;
    // The contract keeps its codes for 400 to itself: an application's own 400 is a plain BAD_REQUEST.
    const code = status === 400 ? 'BAD_REQUEST' : answer.code;
    return { ...answer, code, ...ownWords(exception.getResponse(), exception.message || answer.message) };
  }
  // What body parsers, routers and `http-errors` throw; anything else says nothing (R-ER-02).
  const status = statusOf(exception);
  return answerByStatus(status >= 400 && status < 500 ? status : 500);
}

/** The answer that a bare status gets: its standard code and text. */
export function answerByStatus(status: number): ErrorAnswer {
  const valid = isFailure(status) ? status : 500;
  return { status: valid, code: codeOf(valid), message: messageOf(valid), extras: {} };
}

/** What an error says beside its code and message. */
export function answerMembers({ details, requiredScopes, retryAfter }: SecurityErrorExtras) {
  return {
    ...(details ? { details } : {}),
    ...(requiredScopes ? { requiredScopes } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

const PROBLEM_TYPES = 'https://iana.org/assignments/http-problem-types#';

/** The envelope of the contract, or problem details (RFC 9457) with the same content. */
export function serializeAnswer({ status, code, message, extras }: ErrorAnswer, problem: boolean): string {
  const members = answerMembers(extras);
  return problem
    ? JSON.stringify({
        type: extras.problemType ? PROBLEM_TYPES + extras.problemType : 'about:blank',
        title: STATUS_CODES[status] ?? 'Error',
        status,
        detail: message,
        code,
        ...members,
        ...(extras.violatedPolicies ? { 'violated-policies': extras.violatedPolicies } : {}),
      })
    : JSON.stringify({ error: { code, message, ...members } });
}

const CODE_BY_STATUS: ReadonlyMap<number, SecurityErrorCode> = new Map(
  // Several codes share a status; the first that stands for the status alone is meant here.
  (
    [
      'MALFORMED_REQUEST',
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'NOT_FOUND',
      'METHOD_NOT_ALLOWED',
      'REQUEST_TIMEOUT',
      'PAYLOAD_TOO_LARGE',
      'URI_TOO_LONG',
      'UNSUPPORTED_MEDIA_TYPE',
      'EXPECTATION_FAILED',
      'RATE_LIMITED',
      'REQUEST_HEADER_FIELDS_TOO_LARGE',
      'INTERNAL_ERROR',
      'UNAVAILABLE',
    ] as const
  ).map((code) => [SECURITY_ERROR_CODES[code], code]),
);

function codeOf(status: number): string {
  return CODE_BY_STATUS.get(status) ?? upperSnake(STATUS_CODES[status] ?? 'Error');
}

function messageOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

function upperSnake(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}

function isFailure(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}

function statusOf(exception: unknown): number {
  if (typeof exception !== 'object' || exception === null) return 500;
  try {
    const { statusCode, status } = exception as { statusCode?: unknown; status?: unknown };
    const value = statusCode ?? status;
    return typeof value === 'number' ? value : 500;
  } catch {
    return 500;
  }
}

/** Only `message` and `code` of what the application threw get through (R-ER-03). */
function ownWords(body: unknown, fallback: string): { message: string; code?: string } {
  const { message, code } = (typeof body === 'string' ? { message: body } : (body ?? {})) as {
    message?: unknown;
    code?: unknown;
  };
  const text = Array.isArray(message) ? message.filter((one) => typeof one === 'string').join('; ') : message;
  return {
    message: shorten(typeof text === 'string' && text !== '' ? text : fallback),
    ...(typeof code === 'string' && OWN_CODE.test(code) ? { code } : {}),
  };
}

function shorten(text: string): string {
  return text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH)}…` : text;
}
