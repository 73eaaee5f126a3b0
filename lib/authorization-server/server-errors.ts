import type * as Oidc from 'oidc-provider';

import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import { InteractionEnded } from './interactions.js';
import type { PageWriter, WrittenPage } from './pages/page-writer.js';

/** What people are told: nothing that quotes the request, and whether it helps to try again. */
const WORDS = {
  busy: 'The service is busy. Try again in a moment.',
  expired: 'The request has expired, or belongs to another browser.',
  failed: 'Something went wrong here. Try again in a moment.',
  badQuestion: 'The application asked in a way that cannot be answered.',
} as const;

/** How a failure is answered; what nobody has foreseen is reported. */
export function explain(
  error: unknown,
  events: SecurityEvents,
): { readonly status: number; readonly message: string; readonly retryAfter?: number } {
  if (error instanceof InteractionEnded) return { status: error.status, message: error.message };
  if (error instanceof SecurityError) {
    const { retryAfter } = error.extras;
    const status = error.getStatus();
    const message = status === 503 ? WORDS.busy : error.message;
    return { status, message, ...(retryAfter !== undefined && { retryAfter }) };
  }
  if (error instanceof Error && error.name === 'SessionNotFound')
    return { status: 400, message: WORDS.expired };
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  events.emit('error.unhandled', { name, message, stack });
  return { status: 500, message: WORDS.failed };
}

/** What error pages are made with. */
interface ErrorPageParts {
  readonly pages: PageWriter;
  readonly settings: AuthorizationServerSettings;
}

/** The page that tells what went wrong. */
export function errorPage({ pages, settings }: ErrorPageParts, message: string): WrittenPage {
  const title = 'This did not work';
  return pages.write((view) => settings.pages.error({ ...view, title, message }));
}

/** Writes the page for an error of oidc-provider. */
export type RenderError = (ctx: Oidc.KoaContextWithOIDC, out: unknown, error: Error) => void;

export function renderProviderError(parts: ErrorPageParts, ...[ctx, , error]: Parameters<RenderError>): void {
  const { headers, body } = errorPage(parts, wordsFor(error));
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
  ctx.body = body;
}

function wordsFor(error: Error & { readonly expose?: boolean }): string {
  if (error instanceof SecurityError) return WORDS.busy;
  if (error.name === 'SessionNotFound') return WORDS.expired;
  return error.expose ? WORDS.badQuestion : WORDS.failed;
}
