import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ExecutionContext } from '@nestjs/common';

import type { Principal } from '../principal/principal.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';

/** What the `Authorization` or `X-API-Key` header line holds once its grammar has been checked. */
export interface PresentedCredential {
  /** Lower-cased scheme name: `bearer`, `api-key`, `dpop`, or one we do not know. */
  readonly scheme: string;
  readonly value: string;
}

/** One limit as the response headers show it. */
export interface ShownLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/**
 * All that the module knows about one request: made by the first hook, completed step by step, read by every later part.
 * It hangs on Node's request under one symbol, so that the request object keeps its fast shape.
 */
export class RequestState {
  /** The route's policy; unknown until the guard runs, and for good on unmatched paths. */
  policy: RoutePolicy | undefined = undefined;
  /** Unknown until authentication has run; stays so for anonymous requests. */
  principal: Principal | undefined = undefined;
  /** Lower-cased scheme name under which the credential was sent. */
  wireScheme: string | undefined = undefined;
  /** Limits that came with the credential; they stand in for the route's. */
  ownLimits: readonly RateLimitRule[] | undefined = undefined;
  /** The plan that came with the credential. */
  plan: string | undefined = undefined;
  /** True once a credential was seen, good or bad: the response must not be stored. */
  credentialSent = false;
  /** True when the client waits for `100 Continue` before it sends the body. */
  expectsContinue = false;
  /** The content type as sent, while an adapter must not see it. */
  contentType: string | undefined = undefined;
  /** The limit closest to running out so far; the response headers show it. */
  shownLimit: ShownLimit | undefined = undefined;
  /** Set when the response was written by the module below the framework. */
  refused = false;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    /** The client's address without zone, IPv4-mapped form resolved; `unknown` if there is none. */
    readonly address: string,
    /** The address as limits count it: IPv6 by prefix. */
    readonly addressKey: string,
    /** The request came over TLS, or a trusted proxy says so. */
    readonly secure: boolean,
  ) {}
}

const STATE = Symbol('nestjs-api-security.state');

type WithState = IncomingMessage & { [STATE]?: RequestState };

/** Attaches the state to Node's request. */
export function attachRequestState(request: IncomingMessage, state: RequestState): void {
  (request as WithState)[STATE] = state;
}

/** The state of the request that a handler of any transport works for; of a socket, that of its handshake. */
export function requestStateIn(context: ExecutionContext): RequestState | undefined {
  // A resolver's third argument is the context that its driver has made of the request.
  const holder =
    context.getType<string>() === 'graphql'
      ? context.getArgByIndex<{ req?: object } | undefined>(2)?.req
      : context.getArgByIndex<object | undefined>(0);
  return holder === undefined ? undefined : requestStateOf(holder);
}

/** The state of a request: takes Node's, Express's or Fastify's request object. */
export function requestStateOf(request: object): RequestState | undefined {
  return (request as WithState)[STATE] ?? (request as { raw?: WithState }).raw?.[STATE];
}
