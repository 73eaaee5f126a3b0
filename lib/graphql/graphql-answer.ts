import type { ErrorAnswer } from '../errors/error-answer.js';
import { answerMembers } from '../errors/error-answer.js';
import type { ErrorWriter, WrittenError } from '../errors/error-writer.js';
import type { RequestState } from '../http/request-state.js';

const MEDIA_TYPE = 'application/graphql-response+json';

/** `extensions` of an error: the contract's code, and the members that go with it. */
export function extensionsOf({ code, extras }: ErrorAnswer): Readonly<Record<string, unknown>> {
  return { code, ...answerMembers(extras) };
}

/** A refusal before anything ran: the status and headers that a route would have, in the form that GraphQL's clients read. */
export function writeRefusal(
  writer: ErrorWriter,
  answer: ErrorAnswer,
  { request }: RequestState,
): WrittenError {
  const { status, headers } = writer.write(answer, request);
  const type = request.headers.accept?.includes(MEDIA_TYPE) ? MEDIA_TYPE : 'application/json';
  return {
    status,
    headers: headers.map(([name, value]) =>
      name === 'Content-Type' ? ([name, `${type}; charset=utf-8`] as const) : ([name, value] as const),
    ),
    body: writer.safe(
      JSON.stringify({ errors: [{ message: answer.message, extensions: extensionsOf(answer) }] }),
    ),
  };
}

/** Shows in the response what one resolver refused, beside what others have answered. */
export function showRefusal({ response }: RequestState, { extras }: ErrorAnswer): void {
  if (response.headersSent) return;
  for (const [name, value] of Object.entries(extras.headers ?? {})) response.setHeader(name, value);
  if (extras.retryAfter !== undefined) response.setHeader('Retry-After', extras.retryAfter);
}
