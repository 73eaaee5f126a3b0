import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AbstractHttpAdapter } from '@nestjs/core';

import { requestStateOf } from '../http/request-state.js';
import { ExpressCors } from './express-cors.js';
import type { RequestHook } from './request-hook.js';

type NodeHook = (request: object, response: ServerResponse) => Error | undefined;

/** The parts of an adapter that the bridge replaces; the Nest types leave them out or keep them abstract. */
interface BridgedAdapter {
  getType(): string;
  getInstance(): unknown;
  registerSecurityHook?(hook: NodeHook): void;
  enableCors(options?: unknown, prefix?: string): unknown;
  use(...handlers: unknown[]): unknown;
  registerParserMiddleware(prefix?: string, rawBody?: boolean): void;
  reply(response: unknown, body: unknown, statusCode?: number): unknown;
}

interface FastifyInstance {
  addContentTypeParser(
    type: string | RegExp,
    parser: (request: unknown, payload: unknown, done: (error: null, body?: unknown) => void) => void,
  ): void;
  hasContentTypeParser(type: string): boolean;
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, accessors: object): void;
  removeContentTypeParser(type: string): void;
}

/**
 * Puts the module below the framework of one adapter, as soon as Nest has made it: the request hook before routing and
 * parsing, the module's own body reader in place of Nest's, and text answers that are not served as HTML (PITFALL NC1).
 */
export class AdapterBridge {
  /** Set by Nest's `rawBody` option. */
  keepRawBody = false;
  readonly #adapter: BridgedAdapter;
  readonly #hook: RequestHook;
  readonly #cors = new ExpressCors();
  #installedHook: unknown;

  constructor(adapter: AbstractHttpAdapter, hook: RequestHook) {
    this.#adapter = adapter as unknown as BridgedAdapter;
    this.#hook = hook;
  }

  install(): void {
    this.#installHook();
    this.#replaceBodyParsers();
    this.#exposeUser();
    this.#guardReplies();
    if (this.#adapter.getType() === 'express') {
      (this.#adapter.getInstance() as { disable(setting: string): void }).disable('x-powered-by');
    }
  }

  /** Whether the hook still runs: another one may have taken Fastify's only slot (PITFALL NC3). */
  get active(): boolean {
    if (this.#adapter.getType() !== 'fastify') return true;
    return (this.#adapter as { securityHook?: unknown }).securityHook === this.#installedHook;
  }

  #installHook(): void {
    const adapter = this.#adapter;
    const fastify = adapter.getType() === 'fastify';
    if (!fastify) this.#cors.watch(adapter);
    const cors = fastify ? undefined : this.#cors;
    const hook: NodeHook = (request, response) => {
      const node = nodeRequestOf(request);
      const refused = this.#hook.handle(node, response, cors);
      if (fastify && !refused) hideContentType(node);
      return refused;
    };
    const register = adapter.registerSecurityHook?.bind(adapter);
    if (!register) {
      throw new Error('This adapter has no registerSecurityHook(): NestJS 12.1 or later is needed');
    }
    register(hook);
    this.#installedHook = hook;
    // The application's own `useSecurityHeaders()` joins ours: it may add, but neither replace the hook, of which Fastify
    // keeps one, nor loosen what the hook has set.
    adapter.registerSecurityHook = (later) => {
      const joined: NodeHook = (request, response) => {
        const error = later(request, response);
        this.#hook.restoreHeaders(nodeRequestOf(request), response);
        return error;
      };
      const next: NodeHook = fastify
        ? (request, response) => hook(request, response) ?? joined(request, response)
        : joined;
      register(next);
      if (fastify) this.#installedHook = next;
    };
  }

  /** `request.user` reads the principal from our state: a property set on every request would slow every request down. */
  #exposeUser(): void {
    const instance = this.#adapter.getInstance();
    if (this.#adapter.getType() === 'express') {
      const { request } = instance as { request: object };
      Object.defineProperty(request, 'user', { get: principalOf, set: replaceUser, configurable: true });
    } else {
      const fastify = instance as FastifyInstance;
      if (!fastify.hasRequestDecorator('user'))
        fastify.decorateRequest('user', { getter: principalOf, setter: replaceUser });
    }
  }

  #replaceBodyParsers(): void {
    const adapter = this.#adapter;
    adapter.registerParserMiddleware = (_prefix, rawBody) => {
      this.keepRawBody = rawBody === true;
      if (adapter.getType() !== 'fastify') return;
      const instance = adapter.getInstance() as FastifyInstance;
      for (const type of ['application/json', 'text/plain']) {
        if (instance.hasContentTypeParser(type)) instance.removeContentTypeParser(type);
      }
      // Leave the stream untouched for the guard, which knows what the route accepts. Fastify remembers which parser an expression
      // has matched, but looks for one that takes everything anew each time; parsers of the application for one type come first.
      for (const type of ['*', /^application\/json$/]) {
        instance.addContentTypeParser(type, (_request, _payload, done) => done(null));
      }
    };
  }

  /** What no handler can loosen: answers to a credential are not stored (R-SH-04), text is not HTML (PITFALL NC1). */
  #guardReplies(): void {
    const adapter = this.#adapter;
    const reply = adapter.reply.bind(adapter);
    const express = adapter.getType() === 'express';
    adapter.reply = (response, body, statusCode) => {
      const of = response as { req?: object; request?: object };
      if (requestStateOf((of.req ?? of.request)!)?.credentialSent) {
        if (express) forbidStoring(response as ServerResponse);
        else forbidStoringFastify(response as FastifyReply);
      }
      if (express && isText(body)) declareText(response as ExpressResponse, body);
      return reply(response, body, statusCode);
    };
  }
}

interface FastifyReply {
  hasHeader(name: string): boolean;
  header(name: string, value: string): void;
}

interface ExpressResponse {
  get(name: string): unknown;
  type(type: string): void;
}

function forbidStoring(response: ServerResponse): void {
  if (response.getHeader('Cache-Control') !== 'no-store') response.setHeader('Cache-Control', 'no-store');
}

/** Fastify keeps what a handler sets apart from what is on Node's response, and prefers it. */
function forbidStoringFastify(reply: FastifyReply): void {
  if (reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
}

function isText(body: unknown): body is string | number | boolean {
  return typeof body === 'string' || typeof body === 'number' || typeof body === 'boolean';
}

function declareText(response: ExpressResponse, body: string | number | boolean): void {
  if (response.get('Content-Type') === undefined)
    response.type(typeof body === 'string' ? 'text/plain' : 'application/json');
}

function principalOf(this: object): unknown {
  return requestStateOf(this)?.principal;
}

/** Another library that wants `user` for itself gets it, on that request. */
function replaceUser(this: object, value: unknown): void {
  Object.defineProperty(this, 'user', { value, writable: true, enumerable: true, configurable: true });
}

/** Node's own request, whichever framework has it. */
function nodeRequestOf(request: object): IncomingMessage {
  return ((request as { raw?: unknown }).raw ?? request) as IncomingMessage;
}

/** What Fastify is sure to accept as a content type. */
const PLAIN_CONTENT_TYPE =
  /^[\w.+-]{1,64}\/[\w.+-]{1,64}(?:; ?(?:charset=utf-8|boundary=[\w'()+,./:=?-]{1,70}))?$/i;

/** Fastify answers 415 to an odd content type before any guard: it gets a plain one, and the guard gives the real one back. */
function hideContentType(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type === undefined || type === 'application/json' || PLAIN_CONTENT_TYPE.test(type)) return;
  const state = requestStateOf(request);
  if (!state) return;
  state.contentType = type;
  request.headers['content-type'] = 'application/octet-stream';
}
