import type { INestApplicationContext } from '@nestjs/common';

import { PasswordAccounts } from '../quickstart/auth/password-accounts.service.js';
import { UserDirectory } from '../quickstart/users/user-directory.service.js';

const ADA = '5f0c2a34-6b1e-4d7a-9c58-1e2d3f4a5b6c';
const BOB = 'a1b2c3d4-8e9f-4a0b-8c1d-2e3f4a5b6c7d';

/** Ada and Bob; both processes know them by the same ids. */
export function addPeople(app: INestApplicationContext): void {
  const directory = app.get(UserDirectory, { strict: false });
  directory.create({ email: 'ada@example.com', name: 'Ada Lovelace', role: 'admin' }, ADA);
  directory.create({ email: 'bob@example.com', name: 'Bob Babbage', role: 'member' }, BOB);
}

export async function addPasswords(app: INestApplicationContext, password: string): Promise<void> {
  const accounts = app.get(PasswordAccounts, { strict: false });
  for (const id of [ADA, BOB]) await accounts.setPassword(id, password);
}
