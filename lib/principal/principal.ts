import type { CredentialScheme } from '../policy/route-policy.js';

/** To whom a token is bound (`cnf`, RFC 7800): it is good for nothing without a proof that its holder has this key. */
export interface SenderBinding {
  /** Thumbprint of the key that signs DPoP proofs (RFC 9449 §6). */
  readonly jkt: string | undefined;
  /** SHA-256 of the client's certificate (RFC 8705 §3.1). */
  readonly certificate: string | undefined;
}

/**
 * Who is calling. Frozen, and never holds the credential itself (R-AU-11).
 *
 * Users are identified by issuer *and* subject (R-JW-20); compare both, or use `limitKey`.
 */
export interface Principal {
  /** `user`: a person, by JWT or OAuth delegation. `client`: an OAuth client acting for itself. `api-key`: a program. */
  readonly type: 'user' | 'client' | 'api-key';
  /** The subject of a token, or the id of an API key. */
  readonly id: string;
  readonly scheme: CredentialScheme;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** `iss` of the token; `undefined` for API keys. */
  readonly issuer: string | undefined;
  /** The OAuth client through which a user acts (`client_id`). */
  readonly clientId: string | undefined;
  /** Owner of an API key. */
  readonly owner: string | undefined;
  readonly tenant: string | undefined;
  /** `jti` of the token. */
  readonly tokenId: string | undefined;
  /** Session (refresh-token family) the token belongs to (`sid`). */
  readonly sessionId: string | undefined;
  /** The key or certificate that the caller has proved to have; `undefined` for a token that works for whoever has it. */
  readonly binding: SenderBinding | undefined;
  /** When the user logged in (`auth_time`), epoch seconds. */
  readonly authenticatedAt: number | undefined;
  /** How strong the login was (`acr`), in the issuer's words. */
  readonly acr: string | undefined;
  /** By what means the user logged in (`amr`, RFC 8176). */
  readonly amr: readonly string[];
  /** Further claims that the configuration allows to pass; an object without prototype. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Unambiguous, length-delimited name of this principal for counters. Holds no secret. */
  readonly limitKey: string;
}

/** The parts that must be given to make a principal; everything else is empty. */
export type PrincipalInit = Pick<Principal, 'type' | 'id' | 'scheme'> &
  Partial<Omit<Principal, 'type' | 'id' | 'scheme' | 'limitKey'>>;

/** Makes a frozen principal. Arrays and claims are copied, so that the caller's objects stay apart. */
export function createPrincipal(init: PrincipalInit): Principal {
  const issuer = init.issuer;
  return Object.freeze({
    type: init.type,
    id: init.id,
    scheme: init.scheme,
    scopes: Object.freeze([...(init.scopes ?? [])]),
    roles: Object.freeze([...(init.roles ?? [])]),
    issuer,
    clientId: init.clientId,
    owner: init.owner,
    tenant: init.tenant,
    tokenId: init.tokenId,
    sessionId: init.sessionId,
    binding: init.binding,
    authenticatedAt: init.authenticatedAt,
    acr: init.acr,
    amr: Object.freeze([...(init.amr ?? [])]),
    claims: Object.freeze(Object.assign(Object.create(null), init.claims)) as Readonly<
      Record<string, unknown>
    >,
    limitKey: limitKeyOf(init),
  });
}

// Length prefixes keep (iss "a", sub "b:c") and (iss "a:b", sub "c") apart (R-RL-20).
function limitKeyOf({ type, id, issuer = '', clientId = '' }: PrincipalInit): string {
  // The ids of API keys are our own: nothing else begins like this.
  if (type === 'api-key') return `k:${id}`;
  return `${type}:${issuer.length}:${issuer}:${clientId.length}:${clientId}:${id}`;
}
