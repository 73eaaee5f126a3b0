import { Module } from '@nestjs/common';

import { UserDirectoryModule } from '../users/user-directory.module.js';
import { PasswordAccounts } from './password-accounts.service.js';
import { PasswordHasher } from './password-hasher.service.js';

@Module({
  imports: [UserDirectoryModule],
  providers: [PasswordHasher, PasswordAccounts],
  exports: [PasswordAccounts],
})
export class AccountsModule {}
