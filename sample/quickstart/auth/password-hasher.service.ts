import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { SecurityError } from 'nestjs-api-security';

// 16 MiB and five passes for each try: one of the settings that OWASP's password storage cheat sheet recommends.
const COST = { N: 2 ** 14, r: 8, p: 5 };
const KEY_BYTES = 32;
const MAX_AT_ONCE = 16;

export interface PasswordHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Hashes passwords with scrypt, each with a salt of its own. */
@Injectable()
export class PasswordHasher {
  // What an unknown account is compared with, so that its answer takes as long as a known one's.
  readonly #nobody: PasswordHash = { salt: randomBytes(16), hash: randomBytes(KEY_BYTES) };
  #running = 0;

  async hash(password: string): Promise<PasswordHash> {
    const salt = randomBytes(16);
    return { salt, hash: await this.#derive(password, salt) };
  }

  /** Whether the password fits; `undefined` stands for an account that does not exist. */
  async matches(password: string, expected: PasswordHash | undefined): Promise<boolean> {
    const { salt, hash } = expected ?? this.#nobody;
    const equal = timingSafeEqual(await this.#derive(password, salt), hash);
    return equal && expected !== undefined;
  }

  // Each try costs memory and a thread: beyond a few at once, waiting would only let a queue grow.
  async #derive(password: string, salt: Buffer): Promise<Buffer> {
    if (this.#running >= MAX_AT_ONCE) {
      throw new SecurityError('UNAVAILABLE', 'Too many logins at once', { retryAfter: 1 });
    }
    this.#running++;
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        scrypt(password.normalize('NFC'), salt, KEY_BYTES, COST, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      });
    } finally {
      this.#running--;
    }
  }
}
