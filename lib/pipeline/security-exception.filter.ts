import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';

import { answerTo, type ErrorAnswer } from '../errors/error-answer.js';
import type { ErrorWriter } from '../errors/error-writer.js';
import { ClientAborted } from '../http/body/read-body.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { FailureReports } from './failure-reports.js';
import { type DetailTranslator, translated } from '../validation/translation.js';
import { REFUSED } from './request-hook.js';
import type { UnmatchedRequests } from './unmatched-requests.js';

/** Every failure becomes the contract's envelope here, once: the framework's own failures included. */
@Catch()
export class SecurityExceptionFilter implements ExceptionFilter {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly writer: ErrorWriter,
    private readonly unmatched: UnmatchedRequests,
    private readonly reports: FailureReports,
    private readonly translate: DetailTranslator | undefined,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void | Promise<void> {
    // Other transports have error forms of their own.
    if (host.getType<string>() !== 'http') throw exception;
    // Already answered by the hook, or nobody is left to answer.
    if (exception === REFUSED || exception instanceof ClientAborted) return;
    const request = host.getArgByIndex<object>(0);
    const response = host.getArgByIndex<unknown>(1);
    const state = requestStateOf(request);
    if (!state) throw exception;
    if (state.policy === undefined && exception instanceof HttpException && exception.getStatus() === 404) {
      return this.unmatched
        .answer(state)
        .then((answer) => this.#reply(response, state, answer))
        .catch((error: unknown) => this.#reply(response, state, answerTo(error, false)));
    }
    const answer = this.#withChallenge(answerTo(exception, state.policy !== undefined), state);
    this.reports.report(exception, answer, eventContextOf(state));
    this.#reply(response, state, this.#inLanguageOf(state, answer));
  }

  #inLanguageOf({ request }: RequestState, answer: ErrorAnswer): ErrorAnswer {
    const { details } = answer.extras;
    if (!this.translate || !details) return answer;
    const inTheirs = translated(details, this.translate, request.headers['accept-language']);
    return { ...answer, extras: { ...answer.extras, details: inTheirs } };
  }

  /** Every 401 carries the route's challenges, an application's own 401 too (R-AU-02). */
  #withChallenge(answer: ErrorAnswer, state: RequestState): ErrorAnswer {
    if (answer.status !== 401 || answer.extras.headers?.['WWW-Authenticate'] || !state.policy) return answer;
    const challenges = state.policy.authentication.challenges.map((challenge) => challenge.missing);
    if (challenges.length === 0) return answer;
    return { ...answer, extras: { ...answer.extras, headers: { 'WWW-Authenticate': challenges } } };
  }

  #reply(response: unknown, state: RequestState, answer: ErrorAnswer): void {
    const adapter = this.adapterHost.httpAdapter;
    if (adapter.isHeadersSent(response)) {
      // Half an answer is on the wire already: cutting the connection is the only honest way to say so.
      if (!state.response.writableEnded) state.response.destroy();
      return;
    }
    const { status, headers, body } = this.writer.write(answer, state.request);
    for (const [name, value] of headers) adapter.setHeader(response, name, value as string);
    adapter.reply(response, body, status);
  }
}
