import { Injectable } from '@nestjs/common';
import { ApiKeyService } from 'nestjs-api-security';

import { PasswordAccounts } from './auth/password-accounts.service.js';
import { SCOPES_OF_ROLE } from './users/user.js';
import { UserDirectory } from './users/user-directory.service.js';

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
    const ada = this.directory.create({ email: 'ada@example.com', name: 'Ada Lovelace', role: 'admin' });
    const bob = this.directory.create({ email: 'bob@example.com', name: 'Bob Babbage', role: 'member' });
    for (const { id } of [ada, bob]) await this.accounts.setPassword(id, password);
    const { key } = await this.apiKeys.issue({
      name: 'Printed at start',
      owner: ada.id,
      scopes: SCOPES_OF_ROLE.admin,
    });
    return key;
  }
}
