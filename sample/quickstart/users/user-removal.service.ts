import { Injectable } from '@nestjs/common';
import { ApiKeyService, TokenService } from 'nestjs-api-security';

import { PasswordAccounts } from '../auth/password-accounts.service.js';
import { UserDirectory } from './user-directory.service.js';

/** Ends everything by which a removed user could still come in. */
@Injectable()
export class UserRemoval {
  constructor(
    private readonly directory: UserDirectory,
    private readonly accounts: PasswordAccounts,
    private readonly apiKeys: ApiKeyService,
    private readonly tokens: TokenService,
  ) {}

  /** @throws NotFoundException */
  async remove(id: string): Promise<void> {
    const user = this.directory.get(id);
    this.accounts.remove(user.id);
    await this.tokens.revokeAllOf(user.id);
    await this.apiKeys.revokeAllOf(user.id);
    this.directory.remove(user.id);
  }
}
