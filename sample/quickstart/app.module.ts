import { type DynamicModule, Module } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import { ApiKeysModule } from 'nestjs-api-security/api-keys';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { type Authenticate, SessionsModule } from 'nestjs-api-security/sessions';
import { openSqlDatabase, SqlApiKeyStore, SqlTokenStore } from 'nestjs-api-security/sql';

import { AccountsModule } from './auth/accounts.module.js';
import { AuthController } from './auth/auth.controller.js';
import { PasswordAccounts } from './auth/password-accounts.service.js';
import type { QuickstartConfiguration } from './configuration.js';
import { DemoData } from './demo-data.service.js';
import { ApiDocument } from './docs/api-document.service.js';
import { DocsController } from './docs/docs.controller.js';
import { HealthController } from './health/health.controller.js';
import { SCOPES_OF_ROLE } from './users/user.js';
import { UserDirectoryModule } from './users/user-directory.module.js';
import { UserDirectory } from './users/user-directory.service.js';
import { UserRemoval } from './users/user-removal.service.js';
import { UsersController } from './users/users.controller.js';

@Module({})
export class AppModule {
  static register(configuration: QuickstartConfiguration): DynamicModule {
    return {
      module: AppModule,
      imports: [
        UserDirectoryModule,
        AccountsModule,
        SecurityModule.forRootAsync({
          imports: [UserDirectoryModule],
          inject: [UserDirectory],
          useFactory: (directory: UserDirectory) => securityOptions(configuration, directory),
        }),
        // People manage their own keys; a rotated one goes on working for an hour, so that its users can change over.
        ApiKeysModule.forRoot({ rotationOverlap: '1h', decorators: [ApiTags('api-keys')] }),
        // Login, refresh, logout and the list of sessions; only the check of the password is the application's own.
        SessionsModule.forRootAsync({
          imports: [AccountsModule],
          inject: [PasswordAccounts],
          useFactory:
            (accounts: PasswordAccounts): Authenticate =>
            async ({ email, password }) =>
              (await accounts.authenticate(email, password))?.id,
          decorators: [ApiTags('auth')],
        }),
      ],
      controllers: [HealthController, AuthController, UsersController, DocsController],
      providers: [UserRemoval, ApiDocument, DemoData],
    };
  }
}

async function securityOptions(
  { https, publicHost, readLimit, writeLimit, redisUrl, databaseUrl, tokenKey }: QuickstartConfiguration,
  directory: UserDirectory,
): Promise<SecurityOptions> {
  // Asked for each key and at each login and refresh: a changed role counts from then on, a removed user gets nothing.
  const rightsOf = (userId: string) => {
    const user = directory.find(userId);
    return user && { scopes: SCOPES_OF_ROLE[user.role], roles: [user.role] };
  };
  const database = await openSqlDatabase(databaseUrl);
  return {
    apiKeys: {
      store: new SqlApiKeyStore(database),
      // While the database is down, keys that were seen a moment ago go on for half a minute.
      staleIfError: '30s',
      ownerRights: rightsOf,
    },
    jwt: {
      issuer: 'https://quickstart.example',
      audience: 'https://api.quickstart.example',
      // Made, shared and changed by the processes themselves; encrypted in the database.
      signingKey: 'managed',
    },
    tokens: {
      store: new SqlTokenStore(database),
      signingKeys: { encryptionKey: tokenKey },
      currentRights: rightsOf,
    },
    rateLimit: {
      read: `${readLimit}/minute`,
      write: `${writeLimit}/minute`,
      // While Redis is down each process counts its share by itself.
      ...(redisUrl !== undefined && {
        storage: await RedisRateLimitStorage.open(redisUrl, { prefix: 'quickstart:' }),
      }),
    },
    https,
    publicHost,
  };
}
