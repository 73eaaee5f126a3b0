import { SecurityError } from '../../errors/security-error.js';
import type { SubjectRights, TokenSession } from './session-store.js';
import type { TokenOptions } from './token.options.js';

/** The rights of one access token. */
export type Rights = Required<SubjectRights>;

/** What the session was given, as far as the subject still has it; `undefined` if the subject may not come in. */
export async function rightsOf(
  session: TokenSession,
  currentRights: TokenOptions['currentRights'],
): Promise<Rights | undefined> {
  if (!currentRights) return narrow(session, undefined);
  const current = await currentRights(session.subject);
  return current && narrow(session, current);
}

function narrow({ scopes, roles }: TokenSession, current: SubjectRights | undefined): Rights {
  const limit = (granted: readonly string[] | undefined, now: readonly string[] | undefined) =>
    granted && now ? granted.filter((one) => now.includes(one)) : (granted ?? now ?? []);
  return { scopes: limit(scopes, current?.scopes), roles: limit(roles, current && (current.roles ?? [])) };
}

/** The answer to every bad refresh token, whatever was wrong with it (R-AU-09); `reason` is for events. */
export const refused = (reason: string): SecurityError =>
  new SecurityError('UNAUTHENTICATED', 'The refresh token is not valid', { reason });
