import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { catchError, type Observable, throwError } from 'rxjs';

import { requestStateOf } from '../http/request-state.js';

/** What Express's response and Fastify's reply have in common. */
interface Reply {
  removeHeader(name: string): void;
}

/** Applies a route's own headers over the set that every response already carries; a failure gets the set back. */
@Injectable()
export class SecurityHeadersInterceptor implements NestInterceptor {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const state = requestStateOf(context.getArgByIndex<object>(0));
    const headers = state?.policy?.headers;
    if (!state || !headers || headers.size === 0) return next.handle();
    const reply = context.getArgByIndex<Reply>(1);
    const { response } = state;
    const before = [...headers.keys()].map((name) => [name, response.getHeader(name)] as const);
    for (const [name, value] of headers) {
      if (value === null) response.removeHeader(name);
      else this.adapterHost.httpAdapter.setHeader(reply, name, value);
    }
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!response.headersSent) restore(reply, response, before);
        return throwError(() => error);
      }),
    );
  }
}

/** Fastify keeps the headers of a route apart from what the hook has put on Node's response. */
function restore(
  reply: Reply,
  response: ServerResponse,
  before: readonly (readonly [string, OutgoingHttpHeader | undefined])[],
): void {
  for (const [name, value] of before) {
    reply.removeHeader(name);
    if (value !== undefined) response.setHeader(name, value);
  }
}
