import { findReservedClaim } from './access-token.js';
import { isName, isScopeToken } from './claim-checks.js';
import type { TokenIssuer } from './token-issuer.js';

/** What a login grants. */
export interface TokenGrant {
  /** The most that the session may ever do; a refresh can only narrow it. Left out: what `currentRights` says, each time. */
  readonly scopes?: readonly string[];
  /** The same for roles. */
  readonly roles?: readonly string[];
  /** Further claims of the access tokens; none of those by which tokens are judged. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `aud`; what the issuer's options name by default. */
  readonly audience?: string | readonly string[];
  /** `client_id`; by default the issuer's name: the application is its own client. */
  readonly clientId?: string;
  /** What the application calls the device, for lists of sessions; up to 255 characters. */
  readonly device?: string;
  /** Address that the login came from, for lists of sessions. */
  readonly address?: string;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** @throws TypeError if a grant cannot stand in a token */
export function checkGrant(subject: string, grant: TokenGrant, issuer: TokenIssuer): void {
  const {
    scopes = [],
    roles = [],
    claims = {},
    clientId = issuer.issuer,
    device = 'none',
    address = 'none',
    audience = issuer.audiences,
  } = grant;
  const wrong = (what: string) => new TypeError(`No token can be issued: ${what}`);
  if (!isName(subject)) throw wrong('the subject is no text of 1 to 255 characters without controls');
  if (!isName(clientId)) throw wrong('the client id is no text of 1 to 255 characters without controls');
  if (subject === clientId) throw wrong('the subject has the id of the client, and would be taken for it');
  if (!scopes.every(isScopeToken)) throw wrong('a scope has characters that no scope may have');
  const names = [...roles, device, address, ...[audience].flat()];
  if (!audience.length || !names.every(isName)) {
    throw wrong('roles, device, address and audience are texts of 1 to 255 characters without controls');
  }
  if ([subject, clientId, ...names].some((text) => LONE_SURROGATE.test(text))) {
    throw wrong('a text ends in the middle of a character, and nothing could keep or read it');
  }
  const reserved = findReservedClaim(claims, issuer);
  if (reserved !== undefined) throw wrong(`the claim ${reserved} cannot be chosen`);
}
