import type { StoreCalls } from '../../authentication/store-calls.js';
import type { SecurityClock } from '../../clock.js';
import type { AuthorizationStore, FoundRecord } from './authorization-store.js';
import { accountName, grantName, recordId } from './record-names.js';
import type { RecordSeal } from './record-seal.js';

/** Kinds that belong to a grant, and go with it. */
const OF_GRANT: ReadonlySet<string> = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
/** For records that do not say how long they live. */
const LONGEST_MS = 400 * 86_400_000;

/** What every kind of record is kept with. */
export interface RecordAdapterParts {
  readonly store: AuthorizationStore;
  readonly seal: RecordSeal;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  /** Makes the error for a code or token that somebody else has just used up. */
  readonly spent: () => Error;
  /** Called when a code or a token of a client came a second time. */
  readonly replayed: (clientId: string) => void;
  /** Called when the grant of that name has ended: its JWTs must end too. */
  readonly ended: (grant: string) => Promise<void>;
}

type Payload = Record<string, unknown>;

/**
 * One kind of record, as oidc-provider asks for it. Secret names are digests in the store and everything else is encrypted;
 * codes and tokens are used up in one atomic step, whoever comes second ends all that came from their grant (R-AS-06).
 */
export class RecordAdapter {
  constructor(
    private readonly kind: string,
    private readonly parts: RecordAdapterParts,
  ) {}

  async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
    const { store, seal, calls, clock } = this.parts;
    const { grantId, accountId, uid } = payload;
    const name = recordId(this.kind, id);
    const record = {
      kind: this.kind,
      id: name,
      grant: OF_GRANT.has(this.kind) && typeof grantId === 'string' ? grantName(grantId) : undefined,
      owner: this.kind === 'Grant' && typeof accountId === 'string' ? accountName(accountId) : undefined,
      uid: this.kind === 'Session' && typeof uid === 'string' ? recordId('uid', uid) : undefined,
      payload: await seal.seal(this.kind, name, payload),
      expiresAt: clock.now() + (expiresIn === undefined ? LONGEST_MS : expiresIn * 1000),
    };
    // A proof or an assertion that two nodes see at the same time is new for one of them only.
    const once = this.kind === 'ReplayDetection';
    if (!(await calls.ask(() => store.save(record, once)))) throw this.parts.spent();
  }

  async find(id: string): Promise<Payload | undefined> {
    const { store, calls, clock } = this.parts;
    return this.#open(await calls.ask(() => store.find(this.kind, recordId(this.kind, id), clock.now())));
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    const { store, calls, clock } = this.parts;
    const name = recordId('uid', uid);
    return this.#open(await calls.ask(() => store.findByUid(this.kind, name, clock.now())));
  }

  /** Of the device flow, which there is not. */
  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async consume(id: string): Promise<void> {
    const { store, calls, clock } = this.parts;
    const name = recordId(this.kind, id);
    if (await calls.ask(() => store.consume(this.kind, name, clock.now()))) return;
    const payload = await this.find(id);
    if (typeof payload?.['grantId'] === 'string') {
      const { clientId } = payload;
      this.parts.replayed(typeof clientId === 'string' ? clientId : '');
      await this.#endGrant(payload['grantId']);
    }
    throw this.parts.spent();
  }

  async destroy(id: string): Promise<void> {
    const { store, calls } = this.parts;
    const name = recordId(this.kind, id);
    // In this order, because what has failed is tried again as long as there is a grant.
    if (this.kind === 'Grant') await this.parts.ended(name);
    await calls.ask(() => store.remove(this.kind, name));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const { store, calls } = this.parts;
    // As long as the JWTs have not ended, the code or token by which somebody can try again stays.
    await this.parts.ended(grantName(grantId));
    await calls.ask(() => store.removeByGrant(grantName(grantId)));
  }

  async #endGrant(grantId: string): Promise<void> {
    const { store, calls } = this.parts;
    const name = grantName(grantId);
    await this.parts.ended(name);
    await calls.ask(() => store.remove('Grant', name));
    await calls.ask(() => store.removeByGrant(name));
  }

  async #open(found: FoundRecord | undefined): Promise<Payload | undefined> {
    if (!found) return undefined;
    const payload = await this.parts.seal.openOrReport(this.kind, found, this.parts.calls);
    if (!payload) return undefined;
    if (found.consumedAt !== undefined) payload['consumed'] = Math.floor(found.consumedAt / 1000);
    return payload;
  }
}
