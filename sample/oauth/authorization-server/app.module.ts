import { type DynamicModule, Module } from '@nestjs/common';
import { SecurityModule } from 'nestjs-api-security';
import {
  type Account,
  AuthorizationServerModule,
  type AuthorizationServerOptions,
} from 'nestjs-api-security/authorization-server';
import { openSqlDatabase, SqlAuthorizationStore } from 'nestjs-api-security/sql';

import { AccountsModule } from '../../quickstart/auth/accounts.module.js';
import { PasswordAccounts } from '../../quickstart/auth/password-accounts.service.js';
import { SCOPES_OF_ROLE, type User } from '../../quickstart/users/user.js';
import { UserDirectoryModule } from '../../quickstart/users/user-directory.module.js';
import { UserDirectory } from '../../quickstart/users/user-directory.service.js';
import { type Places, PRINT_SHOP, USERS_API } from '../places.js';
import { SCOPES } from '../scopes.js';

/** What the process is started with. */
export interface AuthorizationServerConfiguration {
  readonly places: Places;
  readonly databaseUrl: string;
  readonly encryptionKey: string;
  readonly printShopSecret: string;
  readonly usersApiSecret: string;
}

@Module({})
export class AppModule {
  static register(configuration: AuthorizationServerConfiguration): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SecurityModule.forRoot({ https: 'off' }),
        AuthorizationServerModule.forRootAsync({
          imports: [AccountsModule, UserDirectoryModule],
          inject: [PasswordAccounts, UserDirectory],
          useFactory: (accounts: PasswordAccounts, directory: UserDirectory) =>
            serverOptions(configuration, accounts, directory),
        }),
      ],
    };
  }
}

async function serverOptions(
  { places, databaseUrl, encryptionKey, printShopSecret, usersApiSecret }: AuthorizationServerConfiguration,
  accounts: PasswordAccounts,
  directory: UserDirectory,
): Promise<AuthorizationServerOptions> {
  return {
    issuer: places.authorizationServer,
    scopes: SCOPES,
    // Opaque tokens are looked up here with each use, so access that is withdrawn is gone at once.
    resources: [{ identifier: places.usersApi, name: 'Users of the quickstart', tokenFormat: 'opaque' }],
    store: new SqlAuthorizationStore(await openSqlDatabase(databaseUrl)),
    encryptionKey,
    authenticate: async ({ login, password }) => accountOf(await accounts.authenticate(login, password)),
    findAccount: (id) => accountOf(directory.find(id)),
    clients: [
      {
        clientId: PRINT_SHOP,
        name: 'Print Shop',
        secret: printShopSecret,
        redirectUris: [`${places.printShop}/callback`],
        scopes: Object.keys(SCOPES),
        dpopBound: true,
      },
      {
        clientId: USERS_API,
        name: 'Users API',
        secret: usersApiSecret,
        resourceServer: places.usersApi,
      },
    ],
    theme: { name: 'Quickstart accounts' },
  };
}

/** Nobody can let an application do what they may not do themselves. */
const accountOf = (user: User | undefined): Account | undefined =>
  user && { id: user.id, name: user.name, scopes: SCOPES_OF_ROLE[user.role] };
