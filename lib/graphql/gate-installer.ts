import type { AbstractHttpAdapter } from '@nestjs/core';

import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { FrameworkRequest } from '../pipeline/body-stage.js';

/** Decides about a request; settles to whether the driver may have it, and has answered otherwise. */
export type Admit = (request: FrameworkRequest, state: RequestState, response: object) => Promise<boolean>;

type Next = (error?: unknown) => void;
type Payload = (error: null, payload: unknown) => void;

interface FastifyRoute {
  readonly url: string;
  preValidation?: unknown;
  onSend?: unknown;
}

interface FastifyReply {
  header(name: string, value: string): void;
}

interface FastifyInstance {
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): void;
}

/** Puts the gate before a path that a driver is going to serve: the driver adds itself behind Nest's router, and has no place for one. */
export function installGate(adapter: AbstractHttpAdapter, path: string, admit: Admit): void {
  if (adapter.getType() === 'fastify') installFastify(adapter.getInstance<FastifyInstance>(), path, admit);
  else installExpress(adapter, path, admit);
}

function installExpress(adapter: AbstractHttpAdapter, path: string, admit: Admit): void {
  const gate = (request: FrameworkRequest, response: object, next: Next) => {
    const state = requestStateOf(request)!;
    if (state.request.method === 'OPTIONS') return next();
    void passing(admit(request, state, response), next, () => {
      if (state.credentialSent) forbidStoring(state);
    });
  };
  (adapter as unknown as { use(path: string, handler: typeof gate): void }).use(path, gate);
}

/** Drivers set a field of their own for caches; what was answered to a credential is not stored (R-SH-04). */
function forbidStoring({ response }: RequestState): void {
  response.setHeader('Cache-Control', 'no-store');
  const set = response.setHeader.bind(response);
  response.setHeader = (name, value) =>
    name.toLowerCase() === 'cache-control' ? response : set(name, value);
}

function installFastify(instance: FastifyInstance, path: string, admit: Admit): void {
  const gate = (request: FrameworkRequest, reply: object, done: Next) => {
    const state = requestStateOf(request)!;
    if (state.request.method === 'OPTIONS') return done();
    void passing(admit(request, state, reply), done);
  };
  const beforeSending = (request: object, reply: FastifyReply, payload: unknown, done: Payload) => {
    if (requestStateOf(request)?.credentialSent) reply.header('cache-control', 'no-store');
    done(null, payload);
  };
  instance.addHook('onRoute', (route) => {
    if (route.url !== path && route.url !== `${path}/`) return;
    route.preValidation = [gate, ...listOf(route.preValidation)];
    route.onSend = [...listOf(route.onSend), beforeSending];
  });
}

/** Goes on once a request was admitted; one that was not has been answered, and goes nowhere. */
async function passing(admitted: Promise<boolean>, next: Next, before?: () => void): Promise<void> {
  try {
    if (!(await admitted)) return;
    before?.();
  } catch (error) {
    return next(error);
  }
  next();
}

function listOf(hooks: unknown): unknown[] {
  if (hooks === undefined) return [];
  return Array.isArray(hooks) ? hooks : [hooks];
}
