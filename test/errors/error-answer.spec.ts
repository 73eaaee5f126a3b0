import {
  BadRequestException,
  ConflictException,
  HttpException,
  ImATeapotException,
  NotFoundException,
} from '@nestjs/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { answerByStatus, answerTo, serializeAnswer } from '../../lib/errors/error-answer.js';
import { SECURITY_ERROR_CODES } from '../../lib/errors/error-code.js';
import { SecurityError } from '../../lib/errors/security-error.js';

const INTERNAL = { status: 500, code: 'INTERNAL_ERROR', message: 'Internal Server Error', extras: {} };

describe('the answer to an exception', () => {
  it('CONTRACT-2 a refusal of the module is told as it is', () => {
    const extras = { retryAfter: 3, reason: 'true cause' };
    expect(answerTo(new SecurityError('RATE_LIMITED', 'Slow down', extras), false)).toEqual({
      status: 429,
      code: 'RATE_LIMITED',
      message: 'Slow down',
      extras,
    });
  });

  it('R-ER-02 R-ER-04 before a route the words of an exception are not repeated', () => {
    const exception = new NotFoundException('Cannot GET /secret?token=abc');
    expect(answerTo(exception, false)).toEqual({
      status: 404,
      code: 'NOT_FOUND',
      message: 'Not Found',
      extras: {},
    });
    expect(answerTo(exception, true).message).toBe('Cannot GET /secret?token=abc');
  });

  it.each<[string, HttpException, object]>([
    ['a text', new ConflictException('Taken'), { code: 'CONFLICT', message: 'Taken' }],
    ['no text', new ConflictException(), { code: 'CONFLICT', message: 'Conflict' }],
    ['a text alone', new HttpException('Gone now', 410), { code: 'GONE', message: 'Gone now' }],
    ['a code', new ConflictException({ message: 'Taken', code: 'NAME_TAKEN' }), { code: 'NAME_TAKEN' }],
    ['a bad code', new ConflictException({ message: 'Taken', code: 'name taken' }), { code: 'CONFLICT' }],
    ['a long code', new ConflictException({ message: 'a', code: 'A'.repeat(65) }), { code: 'CONFLICT' }],
    ['several texts', new BadRequestException(['a', 'b', { c: 1 }]), { message: 'a; b' }],
    ['an empty text', new ConflictException({ message: '' }), { message: 'Conflict' }],
    ['an empty text alone', new HttpException('', 409), { message: 'Conflict' }],
    ['a number as text', new ConflictException({ message: 5 }), { message: 'Conflict Exception' }],
    ['nothing', new HttpException(null as never, 409), { message: 'Http Exception' }],
    ['a 400', new BadRequestException('No'), { status: 400, code: 'BAD_REQUEST' }],
    ['a teapot', new ImATeapotException(), { status: 418, code: 'I_M_A_TEAPOT' }],
    ['an unnamed status', new HttpException('Odd', 499), { status: 499, code: 'ERROR', message: 'Odd' }],
  ])('R-ER-03 an exception of the application with %s', (_, exception, expected) => {
    expect(answerTo(exception, true)).toMatchObject(expected);
  });

  it('R-ER-03 nothing but message and code gets out of it', () => {
    const exception = new ConflictException({
      message: 'Taken',
      code: 'TAKEN',
      stack: 'at …',
      sql: 'SELECT',
    });
    const answer = answerTo(exception, true);
    expect(answer).toEqual({ status: 409, code: 'TAKEN', message: 'Taken', extras: {} });
    expect(JSON.parse(serializeAnswer(answer, false))).toEqual({
      error: { code: 'TAKEN', message: 'Taken' },
    });
  });

  it('R-ER-03 a long message is cut', () => {
    const { message } = answerTo(new ConflictException('x'.repeat(10_000)), true);
    expect(message).toBe(`${'x'.repeat(512)}…`);
  });

  it.each([0, 200, 302, 399, 600, 404.5, NaN, Infinity, '404' as never])(
    'R-ER-02 an exception with the status %s is a failure of the server, in its words',
    (status) => {
      expect(answerTo(new HttpException('a secret', status), true)).toEqual(INTERNAL);
      expect(answerByStatus(status)).toEqual(INTERNAL);
    },
  );

  it.each<[string, unknown]>([
    ['an error', new Error('a secret')],
    ['a text', 'a secret'],
    ['nothing', undefined],
    ['null', null],
    ['a function', () => 'a secret'],
    ['an error of a server', Object.assign(new Error('a secret'), { status: 503 })],
    ['an error that says 200', Object.assign(new Error('a secret'), { status: 200 })],
    ['a status that is text', Object.assign(new Error('a secret'), { status: '404' })],
    [
      'an error that resists',
      {
        get statusCode(): number {
          throw new Error('a secret');
        },
      },
    ],
  ])('R-ER-02 %s is 500, and says nothing', (_, exception) => {
    for (const matched of [true, false]) expect(answerTo(exception, matched)).toEqual(INTERNAL);
  });

  it.each([
    ['status', { status: 413 }, 413, 'PAYLOAD_TOO_LARGE'],
    ['statusCode', { statusCode: 415, status: 500 }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['status', { status: 400 }, 400, 'MALFORMED_REQUEST'],
  ])('CONTRACT-2 R-ER-04 what parsers throw is told by its %s alone', (_, members, status, code) => {
    const error = Object.assign(new Error('Unexpected token a secret'), members);
    const answer = answerTo(error, true);
    expect(answer).toMatchObject({ status, code, extras: {} });
    expect(answer.message).not.toContain('secret');
  });

  it('CONTRACT-2 every code has a status of its own or shares one', () => {
    for (const [code, status] of Object.entries(SECURITY_ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
      expect(answerByStatus(status).status).toBe(status);
    }
  });

  it('R-ER-02 whatever is thrown, the answer is a failure in well-formed JSON', () => {
    fc.assert(
      fc.property(fc.anything(), fc.boolean(), fc.boolean(), (thrown, matched, problem) => {
        const answer = answerTo(thrown, matched);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(600);
        expect(JSON.parse(serializeAnswer(answer, problem))).toBeTypeOf('object');
      }),
    );
  });
});

describe('the answer in JSON', () => {
  const answer = {
    status: 403,
    code: 'INSUFFICIENT_SCOPE',
    message: 'Not enough',
    extras: {
      requiredScopes: ['a:read'],
      details: [{ path: 'a', rule: 'b', message: 'c' }],
      retryAfter: 0,
      headers: { 'WWW-Authenticate': 'Bearer' },
      reason: 'true cause',
      cause: new Error('a secret'),
    },
  };
  const members = {
    code: 'INSUFFICIENT_SCOPE',
    details: [{ path: 'a', rule: 'b', message: 'c' }],
    requiredScopes: ['a:read'],
    retryAfter: 0,
  };

  it('CONTRACT-2 is the envelope, without the true cause', () => {
    expect(JSON.parse(serializeAnswer(answer, false))).toEqual({
      error: { ...members, message: 'Not enough' },
    });
  });

  it('CONTRACT-2 or problem details (RFC 9457) with the same content', () => {
    expect(JSON.parse(serializeAnswer(answer, true))).toEqual({
      ...members,
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'Not enough',
    });
    const odd = { ...answer, status: 499, extras: {} };
    expect(JSON.parse(serializeAnswer(odd, true))).toMatchObject({ title: 'Error', status: 499 });
  });
});
