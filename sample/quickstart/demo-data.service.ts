import { Injectable } from '@nestjs/common';
import { ApiKeyService } from 'nestjs-api-security';

import { PasswordAccounts } from './auth/password-accounts.service.js';
import { SCOPES_OF_ROLE } from './users/user.js';
import { UserDirectory } from './users/user-directory.service.js';

// The directory begins anew with each start, but keys stay: their owners have to be the same people.
const ADA = '5f0c2a34-6b1e-4d7a-9c58-1e2d3f4a5b6c';
const BOB = 'a1b2c3d4-8e9f-4a0b-8c1d-2e3f4a5b6c7d';
const DAY_MS = 86_400_000;

/** The people and the key with which the demonstration begins. */
@Injectable()
export class DemoData {
  constructor(
    private readonly directory: UserDirectory,
    private readonly accounts: PasswordAccounts,
    private readonly apiKeys: ApiKeyService,
  ) {}

  /** Makes Ada and Bob, and returns an API key of Ada's. */
  async create(password: string): Promise<string> {
    this.directory.create({ email: 'ada@example.com', name: 'Ada Lovelace', role: 'admin' }, ADA);
    this.directory.create({ email: 'bob@example.com', name: 'Bob Babbage', role: 'member' }, BOB);
    for (const id of [ADA, BOB]) await this.accounts.setPassword(id, password);
    const { key } = await this.apiKeys.issue({
      name: 'Printed at start',
      owner: ADA,
      scopes: SCOPES_OF_ROLE.admin,
      expiresAt: Date.now() + DAY_MS,
    });
    return key;
  }
}
