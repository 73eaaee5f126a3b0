import { Injectable } from '@nestjs/common';

import { type User } from '../users/user.js';
import { UserDirectory } from '../users/user-directory.service.js';
import { type PasswordHash, PasswordHasher } from './password-hasher.service.js';

/** Who may log in with a password. Kept apart from the directory, so that no answer can ever hold a hash. */
@Injectable()
export class PasswordAccounts {
  readonly #hashes = new Map<string, PasswordHash>();

  constructor(
    private readonly directory: UserDirectory,
    private readonly hasher: PasswordHasher,
  ) {}

  async setPassword(userId: string, password: string): Promise<void> {
    this.#hashes.set(userId, await this.hasher.hash(password));
  }

  /** The user, or `undefined` after the same work whether the address or the password was wrong. */
  async authenticate(email: string, password: string): Promise<User | undefined> {
    const user = this.directory.findByEmail(email);
    const matches = await this.hasher.matches(password, user && this.#hashes.get(user.id));
    return matches ? user : undefined;
  }

  remove(userId: string): void {
    this.#hashes.delete(userId);
  }
}
