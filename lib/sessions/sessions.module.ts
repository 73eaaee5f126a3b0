import { type DynamicModule, Module } from '@nestjs/common';

import type { PasswordCredentialsDto } from './session-input.dto.js';
import { AUTHENTICATE, createSessionsController } from './sessions.controller.js';
import {
  compileSessionRoutes,
  type SessionRoutesAsyncOptions,
  type SessionRoutesOptions,
} from './sessions.options.js';

/**
 * Routes by which the application's users log in, refresh, log out and look at their sessions, given only a function that
 * checks their credentials. `SecurityModule` must be imported too, with an issuer that has a `signingKey`.
 *
 * @example
 * SessionsModule.forRoot({ authenticate: async ({ email, password }) => (await accounts.check(email, password))?.id })
 */
@Module({})
export class SessionsModule {
  /** @throws SecurityConfigurationError listing every problem and its fix */
  static forRoot<Credentials extends object = PasswordCredentialsDto>(
    options: SessionRoutesOptions<Credentials>,
  ): DynamicModule {
    const { authenticate, ...rest } = options;
    return SessionsModule.forRootAsync<Credentials>({ ...rest, useFactory: () => authenticate });
  }

  /** The same with a function that is made from other providers. */
  static forRootAsync<Credentials extends object = PasswordCredentialsDto>(
    options: SessionRoutesAsyncOptions<Credentials>,
  ): DynamicModule {
    const { imports = [], inject = [], useFactory, ...rest } = options;
    const settings = compileSessionRoutes(rest as never);
    return {
      module: SessionsModule,
      imports: [...imports],
      controllers: [createSessionsController(settings)],
      providers: [{ provide: AUTHENTICATE, inject: inject as never[], useFactory }],
    };
  }
}
