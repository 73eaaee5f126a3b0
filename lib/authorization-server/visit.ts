import type { IncomingMessage, ServerResponse } from 'node:http';

import type * as Oidc from 'oidc-provider';

/** A question of an application that waits for somebody's answer. */
export type Interaction = Awaited<ReturnType<Oidc.Provider['interactionDetails']>>;

/** One visit to a page of a request. */
export interface Visit {
  readonly provider: Oidc.Provider;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  /** What the form says; `undefined` for a look at the page. */
  readonly form: URLSearchParams | undefined;
}
