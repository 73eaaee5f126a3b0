/** Why a client that this package opened last lost its server, or did not reach it. */
const causes = new WeakMap<object, string>();

/** Remembers why a client is not connected. Only the message: the error itself may hold the password (`AUTH`). */
export function noteCause(client: object, error: unknown): void {
  causes.set(client, messageOf(error));
}

/** What went wrong, without what was sent: errors of ioredis hold the arguments of their command. */
export function redisFailure(client: object, connected: boolean, error: unknown): Error {
  if (connected) return new Error(messageOf(error));
  const cause = causes.get(client);
  return new Error(cause === undefined ? 'Redis is not connected' : `Redis is not connected: ${cause}`);
}

/** Whether a server says that it has not seen a script before. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Redis failed';
  // Of several addresses that were tried, Node tells in the code only.
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
