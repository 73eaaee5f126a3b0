import { randomBytes } from 'node:crypto';

import { sha256 } from '../../authentication/sha256.js';
import type { StoreCalls } from '../../authentication/store-calls.js';
import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { AuthorizationStore } from '../records/authorization-store.js';
import { recordId } from '../records/record-names.js';
import { completeRegistration, type KnownTargets } from './client-checks.js';
import {
  type ClientChanges,
  type ClientInfo,
  type ClientRegistration,
  infoOf,
  type RegisteredClient,
} from './client-registration.js';

const KIND = 'Client';
/** What stays of a client: its id, so that no other is ever taken for it and comes into what people have allowed it. */
const REMOVED = 'RemovedClient';
/** All clients are listed together. */
const OWNER = recordId(KIND, 'all');
const FOREVER = 253_402_300_799_000;
const SECRET_BYTES = 32;

/** A client that was just registered, with its secret if it has one: it is shown this once. */
export type IssuedClient = ClientInfo & { readonly clientSecret?: string };

/** What the service works with. */
export interface ClientServiceParts {
  readonly store: AuthorizationStore;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  readonly events: SecurityEvents;
  /** Scopes and resources that there are; `undefined` where only the server knows. */
  readonly known: KnownTargets | undefined;
  /** Those of the configuration; they cannot be changed here. */
  readonly configured: ReadonlyMap<string, RegisteredClient>;
}

/**
 * The applications that may ask for access. Secrets are made here, shown once, and kept as digests (R-AS-09).
 *
 * @example
 * const { clientId, clientSecret } = await clients.register({ name: 'Printer', redirectUris: ['https://print.example/cb'] });
 */
export class ClientService {
  constructor(private readonly parts: ClientServiceParts) {}

  /** @throws SecurityError `VALIDATION_FAILED`, `CONFLICT` if the id is or was taken; `UNAVAILABLE` if the store fails */
  async register(input: ClientRegistration): Promise<IssuedClient> {
    const { clock, known, configured, events } = this.parts;
    const made = { clientId: `client_${randomBytes(12).toString('base64url')}`, createdAt: clock.now() };
    const info = completeRegistration(input, known, made);
    const { secret, client } = withSecret(info);
    if (configured.has(info.clientId) || (await this.#wasRemoved(info.clientId))) throw taken();
    if (!(await this.#save(client, true))) throw taken();
    events.emit('oauth-client.registered', { clientId: info.clientId });
    return { ...info, ...(secret !== undefined && { clientSecret: secret }) };
  }

  /**
   * Changes what is given, at once; lists take the place of those that there were. Consents and tokens stay, and give no more
   * than is allowed to the client from now on.
   *
   * @returns undefined if there is no such client
   * @throws SecurityError `VALIDATION_FAILED`, `UNAVAILABLE`
   */
  async update(clientId: string, changes: ClientChanges): Promise<ClientInfo | undefined> {
    const stored = await this.#stored(clientId);
    if (!stored) return undefined;
    const { createdAt, secretDigest, ...current } = stored;
    const { authentication } = current;
    const input = { ...current, ...changes, clientId, authentication } as ClientRegistration;
    const info = completeRegistration(input, this.parts.known, { clientId, createdAt });
    await this.#save({ ...info, ...(secretDigest !== undefined && { secretDigest }) }, false);
    this.parts.events.emit('oauth-client.changed', { clientId });
    return info;
  }

  /** Replaces a client's secret, at once. @returns undefined if there is no such client with a secret */
  async rotateSecret(clientId: string): Promise<IssuedClient | undefined> {
    const known = await this.#stored(clientId);
    if (known?.authentication !== 'secret') return undefined;
    const info = infoOf(known);
    const { secret, client } = withSecret(info);
    await this.#save(client, false);
    this.parts.events.emit('oauth-client.secret-rotated', { clientId });
    return { ...info, clientSecret: secret! };
  }

  /** Removes a client: from now on it gets no tokens. @returns false if there is none */
  async remove(clientId: string): Promise<boolean> {
    const { store, calls, events } = this.parts;
    if (!(await this.#stored(clientId))) return false;
    const id = recordId(REMOVED, clientId);
    await calls.ask(() => store.save({ kind: REMOVED, id, payload: '{}', expiresAt: FOREVER }));
    const removed = await calls.ask(() => store.remove(KIND, recordId(KIND, clientId)));
    if (removed) events.emit('oauth-client.removed', { clientId });
    return removed;
  }

  async get(clientId: string): Promise<ClientInfo | undefined> {
    const client = await this.find(clientId);
    return client && infoOf(client);
  }

  /** All clients, those of the configuration first. */
  async list(): Promise<readonly ClientInfo[]> {
    const { store, calls, clock, configured } = this.parts;
    const records = await calls.ask(() => store.list(KIND, OWNER, clock.now()));
    const stored = records.map(({ payload }) => JSON.parse(payload) as RegisteredClient);
    return [...configured.values(), ...stored.toSorted((a, b) => a.createdAt - b.createdAt)].map(infoOf);
  }

  /** @internal With the digest of its secret. */
  async find(clientId: string): Promise<RegisteredClient | undefined> {
    return this.parts.configured.get(clientId) ?? this.#stored(clientId);
  }

  async #stored(clientId: string): Promise<RegisteredClient | undefined> {
    const { store, calls, clock } = this.parts;
    const record = await calls.ask(() => store.find(KIND, recordId(KIND, clientId), clock.now()));
    return record && (JSON.parse(record.payload) as RegisteredClient);
  }

  async #wasRemoved(clientId: string): Promise<boolean> {
    const { store, calls, clock } = this.parts;
    const id = recordId(REMOVED, clientId);
    return (await calls.ask(() => store.find(REMOVED, id, clock.now()))) !== undefined;
  }

  #save(client: RegisteredClient, onlyNew: boolean): Promise<boolean> {
    const { store, calls } = this.parts;
    const record = {
      kind: KIND,
      id: recordId(KIND, client.clientId),
      owner: OWNER,
      payload: JSON.stringify(client),
      expiresAt: FOREVER,
    };
    return calls.ask(() => store.save(record, onlyNew));
  }
}

function withSecret(info: ClientInfo): { secret: string | undefined; client: RegisteredClient } {
  if (info.authentication !== 'secret') return { secret: undefined, client: info };
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { secret, client: { ...info, secretDigest: sha256(secret) } };
}

const taken = (): SecurityError =>
  new SecurityError('CONFLICT', 'There is, or was, a client with this clientId');
