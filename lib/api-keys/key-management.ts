import type {
  ApiKeyInfo,
  ApiKeyService,
  ApiKeyUsage,
  IssuedApiKey,
} from '../authentication/api-key/api-key.service.js';
import { assertWithinGrant } from '../authentication/api-key/key-grant.js';
import type { KeyLimitSpec } from '../authentication/api-key/key-limits.js';
import { SecurityError } from '../errors/security-error.js';
import type { Principal } from '../principal/principal.js';
import type { CreateApiKeyDto, UpdateApiKeyDto } from './api-key-input.dto.js';
import type { ApiKeyRoutesSettings } from './api-key-routes.options.js';
import { Turns } from './turns.js';

const PAGE = 100;

/** What callers may do with keys of their own: somebody else's and none at all look the same to them (R-AK-15). */
export class KeyManagement {
  readonly #turns = new Turns();

  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly settings: ApiKeyRoutesSettings,
  ) {}

  /** @throws SecurityError `FORBIDDEN`, `VALIDATION_FAILED`; `CONFLICT` if the owner has as many keys as there may be */
  async issue(principal: Principal, input: CreateApiKeyDto): Promise<IssuedApiKey> {
    const owner = this.#ownerOf(principal);
    const { name, scopes, roles = [], allowedAddresses, metadata } = input;
    const tenant = tenantOf(principal);
    assertWithinGrant(principal, { scopes, roles, ...tenant });
    const expiresAt = timeOf(input.expiresAt);
    const optional = given({ allowedAddresses, metadata, expiresAt, limits: this.#limits(input.limits) });
    return this.#turns.take(owner, async () => {
      await this.#assertRoom(owner, this.settings.maxKeys);
      return this.apiKeys.issue({ name, scopes, roles, owner, ...tenant, ...optional });
    });
  }

  /** One page, newest first; keys of another tenant are left out, so it may be shorter than `limit`. */
  async list(
    principal: Principal,
    limit: number | undefined,
    after: string | undefined,
  ): Promise<{ keys: ApiKeyInfo[]; next: string | undefined }> {
    const { keys, next } = await this.apiKeys.list(this.#ownerOf(principal), limit, after);
    return { keys: keys.filter((key) => isOfTenant(key, principal)), next };
  }

  /** @throws SecurityError `NOT_FOUND` */
  async get(principal: Principal, id: string): Promise<ApiKeyInfo> {
    const owner = this.#ownerOf(principal);
    const key = await this.apiKeys.get(id);
    if (key?.owner !== owner || !isOfTenant(key, principal)) throw noSuchKey();
    return key;
  }

  /** @throws SecurityError `NOT_FOUND` */
  async usage(principal: Principal, id: string, days: number | undefined): Promise<ApiKeyUsage> {
    await this.get(principal, id);
    return found(await this.apiKeys.usage(id, days));
  }

  /**
   * What can widen a key, that is more scopes or roles, other addresses, limits or expiry, is for those alone who have all
   * that the key may then do.
   * @throws SecurityError `NOT_FOUND`, `FORBIDDEN`, `VALIDATION_FAILED`; `CONFLICT` as for `issue()` if an expired key is prolonged
   */
  async update(principal: Principal, id: string, input: UpdateApiKeyDto): Promise<ApiKeyInfo> {
    const key = await this.get(principal, id);
    const { name, scopes, roles, allowedAddresses, metadata } = input;
    const then = { scopes: scopes ?? key.scopes, roles: roles ?? key.roles, ...tenantOf(principal) };
    const expiresAt = input.expiresAt === null ? null : timeOf(input.expiresAt);
    const limits = this.#mayClear(input.limits) ? null : this.#limits(input.limits);
    const changes = given({ name, scopes, roles, allowedAddresses, metadata, expiresAt, limits });
    const isWider =
      ['allowedAddresses', 'limits', 'expiresAt'].some((field) => field in changes) ||
      !isWithin(then.scopes, key.scopes) ||
      !isWithin(then.roles, key.roles);
    if (isWider) assertWithinGrant(principal, then);
    if (!('expiresAt' in changes)) return found(await this.apiKeys.update(id, changes));
    return this.#turns.take(key.owner, async () => {
      // An expired key begins to work again.
      if (!this.apiKeys.works(key)) await this.#assertRoom(key.owner, this.settings.maxKeys);
      return found(await this.apiKeys.update(id, changes));
    });
  }

  /**
   * Only for those who have all that the key may do: they get a secret that does it.
   *
   * @param overlapSeconds that of the options by default
   * @throws SecurityError `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` if it has been rotated, or too many keys are being replaced
   */
  async rotate(principal: Principal, id: string, overlapSeconds: number | undefined): Promise<IssuedApiKey> {
    const { owner, scopes, roles } = await this.get(principal, id);
    assertWithinGrant(principal, { scopes, roles, ...tenantOf(principal) });
    const overlapMs = overlapSeconds === undefined ? this.settings.overlapMs : overlapSeconds * 1_000;
    return this.#turns.take(owner, async () => {
      // Old keys in their overlaps would add up without end.
      await this.#assertRoom(owner, 2 * this.settings.maxKeys);
      return this.apiKeys.rotate(id, overlapMs === undefined ? {} : { overlapMs });
    });
  }

  /** @throws SecurityError `NOT_FOUND` */
  async revoke(principal: Principal, id: string): Promise<void> {
    await this.get(principal, id);
    await this.apiKeys.revoke(id);
  }

  #ownerOf(principal: Principal): string {
    const owner = this.settings.owner(principal);
    if (typeof owner === 'string' && owner !== '') return owner;
    throw new SecurityError('FORBIDDEN', 'You cannot have keys', { reason: 'key.owner' });
  }

  async #assertRoom(owner: string, most: number): Promise<void> {
    let working = 0;
    let after: string | undefined;
    do {
      const { keys, next } = await this.apiKeys.list(owner, PAGE, after);
      working += keys.filter((key) => this.apiKeys.works(key)).length;
      if (working >= most) throw new SecurityError('CONFLICT', `You have ${working} keys that work already`);
      after = next;
    } while (after !== undefined);
  }

  /** Who may say nothing about limits may not lift them either. */
  #mayClear(limits: unknown): limits is null {
    return limits === null && this.settings.limits !== 'none';
  }

  /** What a client says about limits, as far as it may: anything else is turned into what no plan is called. */
  #limits(limits: unknown): string | KeyLimitSpec[] | undefined {
    if (limits === undefined) return undefined;
    const isFine = this.settings.limits === 'any' || (this.settings.limits === 'plan' && isText(limits));
    // The service looks at what is in a list.
    return isFine ? (limits as string | KeyLimitSpec[]) : '';
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function tenantOf({ tenant }: Principal): { tenant?: string } {
  return tenant === undefined ? {} : { tenant };
}

function isOfTenant(key: ApiKeyInfo, { tenant }: Principal): boolean {
  return (key.tenant ?? undefined) === tenant;
}

function isWithin(wanted: readonly string[], present: readonly string[]): boolean {
  return wanted.every((one) => present.includes(one));
}

/** The fields that were given. */
function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw noSuchKey();
  return value;
}

function noSuchKey(): SecurityError {
  return new SecurityError('NOT_FOUND', 'No such key');
}
