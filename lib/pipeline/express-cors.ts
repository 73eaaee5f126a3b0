import type { IncomingMessage, ServerResponse } from 'node:http';

type Middleware = (request: object, response: ServerResponse, next: (error?: unknown) => void) => void;

interface CorsAdapter {
  enableCors(options?: unknown, prefix?: string): unknown;
  use(...handlers: unknown[]): unknown;
}

/**
 * The CORS of `app.enableCors()` on Express, where it stands behind the request hook: what the hook refuses would never come
 * to it, and a browser's script could not read the answer (R-CO-06, R-RL-04). Fastify runs its own in front of the hook.
 */
export class ExpressCors {
  readonly #handlers: Middleware[] = [];

  /** Notes what `enableCors()` gives to Express. */
  watch(adapter: CorsAdapter): void {
    const enableCors = adapter.enableCors.bind(adapter);
    adapter.enableCors = (...settings) => {
      const use = adapter.use.bind(adapter);
      adapter.use = (...handlers) => {
        this.#handlers.push(...(handlers.filter((one) => typeof one === 'function') as Middleware[]));
        return use(...handlers);
      };
      try {
        return enableCors(...settings);
      } finally {
        adapter.use = use;
      }
    };
  }

  /**
   * Puts the CORS headers on a response that is about to be refused, then goes on, once and in any case. A preflight gets
   * none: it only counts if it succeeds.
   */
  decorate(request: IncomingMessage, response: ServerResponse, goOn: () => void): void {
    if (request.headers.origin === undefined || request.method === 'OPTIONS') return goOn();
    const step = (index: number): void => {
      const handler = this.#handlers[index];
      if (handler === undefined) return goOn();
      let passed = false;
      const next = (error?: unknown): void => {
        if (passed) return;
        passed = true;
        if (error) goOn();
        else step(index + 1);
      };
      try {
        handler(request, response, next);
      } catch (error) {
        next(error);
      }
    };
    step(0);
  }
}
