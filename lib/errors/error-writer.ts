import type { IncomingMessage, ServerResponse } from 'node:http';

import { hasContent } from '../http/content.js';
import { escapeJson } from '../http/json/escape-json.js';
import { closeLingering } from '../http/lingering-close.js';
import { type ErrorAnswer, serializeAnswer } from './error-answer.js';

const PROBLEM_TYPE = 'application/problem+json';
const JSON_TYPE = 'application/json';
/** Above this, an unread body is not worth reading to the end just to keep the connection. */
const DRAINABLE_BYTES = 65_536;

/** An error answer in bytes: what both the exception filter and the hook below the framework send. */
export interface WrittenError {
  readonly status: number;
  readonly headers: readonly (readonly [string, string | readonly string[]])[];
  readonly body: string;
}

/** Turns answers into responses, in the format that the application or the client asked for. */
export class ErrorWriter {
  /** @param escapes whether JSON is made harmless inside HTML (R-IV-24) */
  constructor(
    private readonly format: 'envelope' | 'problem',
    private readonly escapes = true,
  ) {}

  write(answer: ErrorAnswer, request: IncomingMessage): WrittenError {
    const problem = this.format === 'problem' || (request.headers.accept?.includes(PROBLEM_TYPE) ?? false);
    const { extras } = answer;
    const headers: [string, string | readonly string[]][] = [
      ['Content-Type', `${problem ? PROBLEM_TYPE : JSON_TYPE}; charset=utf-8`],
      ['Cache-Control', 'no-store'],
    ];
    if (extras.retryAfter !== undefined) headers.push(['Retry-After', String(extras.retryAfter)]);
    if (extras.headers) headers.push(...Object.entries(extras.headers));
    if (hasUnreadBody(request)) {
      if (isLong(request)) headers.push(['Connection', 'close']);
      if (headers.some(([name]) => name === 'Connection')) closeLingering(request);
    }
    return { status: answer.status, headers, body: this.safe(serializeAnswer(answer, problem)) };
  }

  /** A JSON text as this application sends it. */
  safe(json: string): string {
    return this.escapes ? escapeJson(json) : json;
  }

  /** Answers on Node's own response, below any framework. */
  send(answer: ErrorAnswer, request: IncomingMessage, response: ServerResponse): void {
    if (response.headersSent) return;
    const { status, headers, body } = this.write(answer, request);
    response.statusCode = status;
    if (status < 400) {
      // A redirect, a document, or an answer without content: there is no failure to describe.
      for (const [name, value] of Object.entries(answer.extras.headers ?? {}))
        response.setHeader(name, value);
      if (answer.message !== '') response.setHeader('Content-Length', Buffer.byteLength(answer.message));
      response.end(request.method === 'HEAD' ? undefined : answer.message);
      return;
    }
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

function hasUnreadBody(request: IncomingMessage): boolean {
  return hasContent(request) && !request.complete && !request.readableEnded;
}

function isLong({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > DRAINABLE_BYTES;
}
