import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Observable } from 'rxjs';

import { requestStateOf } from '../http/request-state.js';

/** Applies a route's own headers over the set that every response already carries. */
@Injectable()
export class SecurityHeadersInterceptor implements NestInterceptor {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const state = requestStateOf(context.getArgByIndex<object>(0));
    const response = context.getArgByIndex<unknown>(1);
    for (const [name, value] of state?.policy?.headers ?? []) {
      if (value === null) state!.response.removeHeader(name);
      else this.adapterHost.httpAdapter.setHeader(response, name, value);
    }
    return next.handle();
  }
}
