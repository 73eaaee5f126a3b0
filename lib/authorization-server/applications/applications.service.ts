import type { TokenService } from '../../authentication/jwt/token.service.js';
import type { StoreCalls } from '../../authentication/store-calls.js';
import type { SecurityClock } from '../../clock.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { ClientService } from '../clients/client.service.js';
import type { AuthorizationStore } from '../records/authorization-store.js';
import { accountName } from '../records/record-names.js';
import type { RecordSeal } from '../records/record-seal.js';

const KIND = 'Grant';

/** An application that a user has given access. */
export interface AuthorizedApplication {
  /** Names the consent; good for nothing but withdrawing it. */
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly verified: boolean;
  /** Scopes by resource. */
  readonly access: readonly { readonly resource: string; readonly scopes: readonly string[] }[];
  /** Epoch milliseconds. */
  readonly since: number;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** A grant as oidc-provider writes it. */
interface StoredGrant {
  readonly jti: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly iat: number;
  readonly exp: number;
  readonly resources?: Readonly<Record<string, string>>;
  readonly rejected?: { readonly resources?: Readonly<Record<string, string>> };
}

/** What the service works with. */
export interface ApplicationsParts {
  readonly issuer: string;
  readonly store: AuthorizationStore;
  readonly seal: RecordSeal;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  readonly clients: ClientService;
  /** Tells resource servers that share its store. */
  readonly tokens: TokenService;
  readonly events: SecurityEvents;
}

/**
 * Which applications have access to a user's account, and its end (R-AS-13).
 *
 * @example
 * for (const { id, clientName } of await applications.list(user.id)) …
 * await applications.withdraw(user.id, id);
 */
export class ApplicationsService {
  constructor(private readonly parts: ApplicationsParts) {}

  /** @throws SecurityError `UNAVAILABLE` */
  async list(accountId: string): Promise<readonly AuthorizedApplication[]> {
    const grants = await this.#grantsOf(accountId);
    const { clients } = this.parts;
    const found = await Promise.all(
      grants.map(async ({ id, grant }) => {
        const client = await clients.find(grant.clientId);
        return {
          id,
          clientId: grant.clientId,
          clientName: client?.name ?? grant.clientId,
          verified: client?.verified ?? false,
          access: accessOf(grant),
          since: grant.iat * 1000,
          until: grant.exp * 1000,
        };
      }),
    );
    // Somebody who was asked and allowed nothing has given no access.
    return found.filter(({ access }) => access.length > 0).toSorted((a, b) => b.since - a.since);
  }

  /**
   * Takes access back, at once: codes, refresh tokens and opaque tokens are gone, JWTs are revoked for every resource server
   * that shares the token store with this application.
   *
   * @returns false if the user has given no such access
   * @throws SecurityError `UNAVAILABLE`
   */
  async withdraw(accountId: string, id: string): Promise<boolean> {
    const found = (await this.#grantsOf(accountId)).find((one) => one.id === id);
    if (!found) return false;
    await this.end(id, found.grant);
    return true;
  }

  /** @internal Ends what came from a grant. */
  async end(id: string, { accountId, clientId }: Pick<StoredGrant, 'accountId' | 'clientId'>): Promise<void> {
    const { store, calls, tokens, issuer, events } = this.parts;
    // The name is revoked first, and the grant is what one finds it by: if anything fails it can be withdrawn again. Behind the
    // grant nothing new comes while the rest is being removed.
    await tokens.revoke({ issuer, id: accountId, sessionId: id } as Parameters<typeof tokens.revoke>[0]);
    await calls.ask(() => store.remove(KIND, id));
    await calls.ask(() => store.removeByGrant(id));
    events.emit('oauth-grant.withdrawn', { subject: accountId, clientId });
  }

  /** @internal The secret name of the consent that a client has, if any. */
  async grantIdOf(accountId: string, clientId: string): Promise<string | undefined> {
    const grants = await this.#grantsOf(accountId);
    const own = grants.filter(({ grant }) => grant.clientId === clientId);
    return own.toSorted((a, b) => b.grant.exp - a.grant.exp)[0]?.grant.jti;
  }

  async #grantsOf(accountId: string): Promise<readonly { id: string; grant: StoredGrant }[]> {
    const { store, seal, calls, clock } = this.parts;
    const records = await calls.ask(() => store.list(KIND, accountName(accountId), clock.now()));
    const opened = await Promise.all(
      records.map(async (record) => {
        const grant = await seal.openOrReport(KIND, record, calls);
        return grant && { id: record.id, grant: grant as unknown as StoredGrant };
      }),
    );
    return opened.filter((one) => one !== undefined);
  }
}

function accessOf({ resources = {}, rejected }: StoredGrant): AuthorizedApplication['access'] {
  return Object.entries(resources)
    .map(([resource, scope]) => {
      const denied = rejected?.resources?.[resource]?.split(' ') ?? [];
      return { resource, scopes: scope.split(' ').filter((one) => one !== '' && !denied.includes(one)) };
    })
    .filter(({ scopes }) => scopes.length > 0);
}
