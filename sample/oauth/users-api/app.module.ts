import { type DynamicModule, Module } from '@nestjs/common';
import { SecurityModule } from 'nestjs-api-security';

import { UserDirectoryModule } from '../../quickstart/users/user-directory.module.js';
import { type Places, USERS_API } from '../places.js';
import { SCOPES } from '../scopes.js';
import { UsersController } from './users.controller.js';

@Module({})
export class AppModule {
  static register({ usersApi, authorizationServer }: Places, clientSecret: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        UserDirectoryModule,
        SecurityModule.forRoot({
          https: 'off',
          oauth2: {
            resource: usersApi,
            scopes: SCOPES,
            issuers: [
              {
                issuer: authorizationServer,
                // Asked each time: with `cacheFor: '30s'` it would be faster, and a withdrawal take half a minute.
                introspection: { clientId: USERS_API, clientSecret, cacheFor: 0 },
              },
            ],
          },
        }),
      ],
      controllers: [UsersController],
    };
  }
}
