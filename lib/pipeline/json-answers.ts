import type { AbstractHttpAdapter } from '@nestjs/core';

import { escapeJson, isJsonType } from '../http/json/escape-json.js';

interface ExpressResponse {
  get(name: string): unknown;
  send: (this: ExpressResponse, body?: unknown) => unknown;
}

interface FastifyReply {
  getHeader(name: string): unknown;
}

type OnSend = (
  request: unknown,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload?: string) => void,
) => void;

/**
 * Makes every JSON answer of the framework harmless inside HTML (R-IV-24), whether a handler returned an object, a text that is
 * JSON, or answers by itself. It works on the text that the framework has made, before its length and its tag are computed;
 * what is written on Node's own response, buffers, streams and other types stay as they are.
 */
export function escapeJsonAnswers(adapter: AbstractHttpAdapter): void {
  const instance: unknown = adapter.getInstance();
  if (adapter.getType() === 'express') escapeOnExpress((instance as { response: ExpressResponse }).response);
  else if (adapter.getType() === 'fastify')
    (instance as { addHook(name: 'onSend', hook: OnSend): void }).addHook('onSend', escapeOnSend);
}

/** `json()` ends in `send()` with a text, so this is the one place; the object belongs to this application alone. */
function escapeOnExpress(response: ExpressResponse): void {
  const { send } = response;
  response.send = function (this: ExpressResponse, body?: unknown): unknown {
    return send.call(
      this,
      typeof body === 'string' && isJsonType(this.get('Content-Type')) ? escapeJson(body) : body,
    );
  };
}

const escapeOnSend: OnSend = (_request, reply, payload, done) => {
  if (typeof payload === 'string' && isJsonType(reply.getHeader('content-type')))
    done(null, escapeJson(payload));
  else done(null);
};
