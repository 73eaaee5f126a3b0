import { timingSafeEqual } from 'node:crypto';

import { ApiKeyDigest, type Compare } from '../../../lib/authentication/api-key/api-key-digest.js';
import { ApiKeyVerifier } from '../../../lib/authentication/api-key/api-key-verifier.js';
import {
  type ApiKeyOptions,
  compileApiKeyOptions,
} from '../../../lib/authentication/api-key/api-key.options.js';
import { ApiKeyService, type IssueApiKey } from '../../../lib/authentication/api-key/api-key.service.js';
import type { createApiKeyStrategy } from '../../../lib/authentication/api-key/api-key.strategy.js';
import type {
  ApiKeyRecord,
  ApiKeyStore,
  ApiKeyUse,
} from '../../../lib/authentication/api-key/api-key-store.js';
import { generateKey, type KeyEnvironment } from '../../../lib/authentication/api-key/key-format.js';
import { MemoryApiKeyStore } from '../../../lib/authentication/api-key/memory-api-key-store.js';
import { CredentialRejected } from '../../../lib/authentication/credential-verifier.js';
import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import type { SecurityEvent } from '../../../lib/events/security-event.js';
import { SecurityEvents } from '../../../lib/events/security-events.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';

export const INPUT: IssueApiKey = { owner: 'ada', name: 'test', scopes: ['items:read'] };

/** A memory store that counts look-ups, and can be slowed down, stopped or made to answer nonsense. */
export class WatchedStore extends MemoryApiKeyStore {
  finds = 0;
  updates = 0;
  /** Batches of uses, as they came. */
  readonly writes: (readonly ApiKeyUse[])[] = [];
  /** Runs inside each look-up: after the record was read, before it is returned. */
  delay: () => Promise<void> = () => Promise.resolve();
  failure: Error | undefined = undefined;
  /** Changes what a look-up returns. */
  distort: (record: ApiKeyRecord | undefined) => unknown = (record) => record;

  override async find(id: string): Promise<ApiKeyRecord | undefined> {
    this.finds++;
    if (this.failure) throw this.failure;
    const record = await super.find(id);
    await this.delay();
    return this.distort(record) as ApiKeyRecord | undefined;
  }

  override recordUses(uses: readonly ApiKeyUse[]): Promise<void> {
    this.writes.push(uses);
    return super.recordUses(uses);
  }

  override update(...args: Parameters<ApiKeyStore['update']>): ReturnType<ApiKeyStore['update']> {
    this.updates++;
    return this.failure ? Promise.reject(this.failure) : super.update(...args);
  }
}

export interface WorkshopSetup {
  readonly options?: ApiKeyOptions;
  readonly store?: WatchedStore;
  readonly clock?: FakeClock;
  readonly register?: (...args: Parameters<typeof createApiKeyStrategy>) => void;
}

/** A service and a verifier on one store, with a clock, and everything that they say. */
export function workshop({
  options = {},
  store = new WatchedStore(),
  clock = new FakeClock(),
  register,
}: WorkshopSetup = {}) {
  const problems = new ConfigurationProblems();
  const settings = compileApiKeyOptions(options, problems);
  problems.throwIfAny();
  const comparisons: [number, number][] = [];
  const compare: Compare = (one, other) => {
    comparisons.push([one.length, other.length]);
    return timingSafeEqual(one, other);
  };
  const events = new SecurityEvents(clock);
  const seen: SecurityEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const digests = new ApiKeyDigest(settings.peppers, compare);
  const service = new ApiKeyService(store, settings, digests, clock, events);
  const verifier = new ApiKeyVerifier(store, settings, digests, clock, service, register);
  /** As the authenticator asks: memory first. */
  const use = async (key: string) => verifier.cached(key) ?? (await verifier.verify(key));
  return {
    clock,
    store,
    service,
    verifier,
    comparisons,
    seen,
    use,
    /** `good`, or why not. */
    outcome: (key: string): Promise<string> =>
      use(key).then(
        () => 'good',
        (error: unknown) => {
          if (error instanceof CredentialRejected) return error.reason;
          return error instanceof SecurityError ? error.code : String(error);
        },
      ),
  };
}

/** A promise that is settled from outside. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Lets everything that is ready run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A key with the same id, another secret, and a checksum that is right. */
export function withOtherSecret(key: string): string {
  const [prefix, environment, id] = key.split('_') as [string, KeyEnvironment, string];
  let asked = 0;
  // The id is made first, then the secret.
  const random = (size: number) =>
    Uint8Array.from({ length: size }, (_, at) => (asked++ < id.length ? LETTERS.indexOf(id[at]!) : 7));
  return generateKey(prefix, environment, random).key;
}
