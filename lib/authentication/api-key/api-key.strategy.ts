import { PassportStrategy } from '@nestjs/passport';
import type { PassportStatic } from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';

/** The name under which the strategy is known to our own Passport instance. */
export const API_KEY_STRATEGY = 'nestjs-api-security:api-key';
/** The only header that the strategy's facade has; our own reader has checked the real ones. */
export const FACADE_HEADER = 'x-api-key';

/** Hands out the user for a key, or throws why not. */
export type KeyLookup = (key: string) => Promise<object>;

/** passport-headerapikey behind our reader: it gets one clean key, never the request (PITFALLS K1 to K10). */
export function createApiKeyStrategy(passport: PassportStatic, lookup: KeyLookup): object {
  class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, API_KEY_STRATEGY) {
    constructor() {
      super({ header: FACADE_HEADER, prefix: '' }, false);
    }

    // The process-wide instance is nobody's: a second application would replace our strategy (PITFALL P3).
    getPassportInstance(): PassportStatic {
      return passport;
    }

    validate(key: string): Promise<object> {
      return lookup(key);
    }
  }
  return new ApiKeyStrategy();
}
