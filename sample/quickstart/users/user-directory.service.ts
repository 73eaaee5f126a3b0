import { randomUUID } from 'node:crypto';

import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { SecurityError } from 'nestjs-api-security';

import type { User } from './user.js';

const MAX_USERS = 10_000;

// Sorting is by a name from this list, never by a property that the client names.
const ORDERS = {
  name: (a: User, b: User) => compare(a.name, b.name),
  email: (a: User, b: User) => compare(a.email, b.email),
  createdAt: (a: User, b: User) => compare(a.createdAt, b.createdAt),
} as const;

export type UserOrder = keyof typeof ORDERS;
export const USER_ORDERS = Object.keys(ORDERS) as UserOrder[];

/** The users, in memory. Addresses are unique whatever their letter case. */
@Injectable()
export class UserDirectory {
  readonly #users = new Map<string, User>();
  readonly #idByEmail = new Map<string, string>();

  list(order: UserOrder, limit: number): User[] {
    return [...this.#users.values()].toSorted(ORDERS[order]).slice(0, limit);
  }

  find(id: string): User | undefined {
    return this.#users.get(id.toLowerCase());
  }

  /** @throws NotFoundException */
  get(id: string): User {
    const user = this.find(id);
    if (!user) throw new NotFoundException('No such user');
    return user;
  }

  findByEmail(email: string): User | undefined {
    const id = this.#idByEmail.get(email.toLowerCase());
    return id === undefined ? undefined : this.#users.get(id);
  }

  /** @throws ConflictException if the address is taken */
  create(fields: Omit<User, 'id' | 'createdAt'>, id: string = randomUUID()): User {
    if (this.#users.size >= MAX_USERS) {
      throw new SecurityError('UNAVAILABLE', 'The directory is full', { retryAfter: 3600 });
    }
    this.#refuseTaken(fields.email);
    const user: User = { id, ...fields, createdAt: new Date().toISOString() };
    this.#users.set(user.id, user);
    this.#idByEmail.set(user.email.toLowerCase(), user.id);
    return user;
  }

  /** Changes the given fields and leaves the others. */
  update(id: string, changes: Partial<Omit<User, 'id' | 'createdAt'>>): User {
    const user = this.get(id);
    if (changes.email !== undefined) this.#refuseTaken(changes.email, user.id);
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const changed: User = { ...user, ...given };
    this.#users.set(user.id, changed);
    this.#idByEmail.delete(user.email.toLowerCase());
    this.#idByEmail.set(changed.email.toLowerCase(), user.id);
    return changed;
  }

  remove(id: string): User {
    const user = this.get(id);
    this.#users.delete(user.id);
    this.#idByEmail.delete(user.email.toLowerCase());
    return user;
  }

  #refuseTaken(email: string, except?: string): void {
    const owner = this.#idByEmail.get(email.toLowerCase());
    if (owner !== undefined && owner !== except) throw new ConflictException('This e-mail address is taken');
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
