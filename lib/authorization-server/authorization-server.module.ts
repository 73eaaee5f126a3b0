import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';

import { TokenService } from '../authentication/jwt/token.service.js';
import { StoreCalls } from '../authentication/store-calls.js';
import { SecurityInternals } from '../boot/security-internals.js';
import { SecurityEvents } from '../events/security-events.js';
import { createApplicationsController } from './applications/applications.controller.js';
import { ApplicationsService } from './applications/applications.service.js';
import { AuthorizationServer } from './authorization-server.js';
import type {
  AuthorizationServerAsyncOptions,
  AuthorizationServerOptions,
} from './authorization-server.options.js';
import {
  type AuthorizationServerSettings,
  compileAuthorizationServer,
} from './authorization-server.settings.js';
import { ClientService } from './clients/client.service.js';
import { createClientsController } from './clients/clients.controller.js';
import { RecordSeal } from './records/record-seal.js';

const SETTINGS = Symbol('nestjs-api-security.authorization-server');
const SHARED = Symbol('nestjs-api-security.authorization-server.shared');
const STORE_TIMEOUT_MS = 5_000;

/** Routes for programs that hold a JWT of this application; off by default, because they need `jwt` in `SecurityModule`. */
export interface AuthorizationServerRoutes {
  /** Users see which applications have access, and withdraw it; the path is `oauth/authorized-applications` by default. */
  readonly applicationsApi?: { readonly path?: string };
  /** Administrators register applications; by default under `oauth/clients`, for the role `admin`. */
  readonly clientsApi?: { readonly path?: string; readonly role?: string };
}

/** What the parts of the server share. */
interface Shared {
  readonly calls: StoreCalls;
  readonly seal: RecordSeal;
}

/** Ties the server to the application's life. */
@Injectable()
class AuthorizationServerBootstrap implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(AuthorizationServer) private readonly server: AuthorizationServer,
    @Inject(SecurityInternals) private readonly internals: SecurityInternals,
  ) {}

  onModuleInit(): void {
    this.internals.mounts.add(this.server.mount);
  }

  onApplicationBootstrap(): Promise<void> {
    return this.server.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.server.stop();
  }
}

/**
 * An OAuth 2.0 authorization server inside the application (RFC 6749, RFC 9700), on the certified oidc-provider: third parties
 * get limited access to a user's data, and never see a password. `SecurityModule` must be imported too.
 *
 * @example
 * AuthorizationServerModule.forRoot({
 *   issuer: 'https://id.example.com',
 *   scopes: { 'users:read': 'See the list of users' },
 *   resources: [{ identifier: 'https://api.example.com', name: 'Example' }],
 *   store, encryptionKey, authenticate, findAccount,
 * })
 */
@Module({})
export class AuthorizationServerModule {
  /** @throws SecurityConfigurationError at boot, listing every problem and its fix */
  static forRoot(options: AuthorizationServerOptions & AuthorizationServerRoutes): DynamicModule {
    const { applicationsApi, clientsApi, ...rest } = options;
    return AuthorizationServerModule.forRootAsync({
      ...(applicationsApi && { applicationsApi }),
      ...(clientsApi && { clientsApi }),
      useFactory: () => rest,
    });
  }

  /** The same with options that come from other providers. */
  static forRootAsync(options: AuthorizationServerAsyncOptions & AuthorizationServerRoutes): DynamicModule {
    const { imports = [], inject = [], useFactory, applicationsApi, clientsApi } = options;
    return {
      module: AuthorizationServerModule,
      imports: [...imports],
      controllers: [
        ...(applicationsApi
          ? [createApplicationsController(applicationsApi.path ?? 'oauth/authorized-applications')]
          : []),
        ...(clientsApi
          ? [createClientsController(clientsApi.path ?? 'oauth/clients', clientsApi.role ?? 'admin')]
          : []),
      ],
      providers: [
        {
          provide: SETTINGS,
          inject: [SecurityInternals, ...(inject as never[])],
          useFactory: async ({ limits }: SecurityInternals, ...args: never[]) =>
            compileAuthorizationServer(await useFactory(...args), limits),
        },
        ...PROVIDERS,
        AuthorizationServerBootstrap,
      ],
      exports: [ClientService, ApplicationsService, AuthorizationServer],
    };
  }
}

const PROVIDERS: readonly Provider[] = [
  {
    provide: SHARED,
    inject: [SETTINGS, SecurityEvents],
    useFactory: ({ encryptionKeys }: AuthorizationServerSettings, events: SecurityEvents): Shared => ({
      seal: new RecordSeal(encryptionKeys),
      calls: new StoreCalls(STORE_TIMEOUT_MS, events, {
        store: 'authorization-server',
        message: 'The authorization server cannot be asked right now',
        reason: 'authorization-server.store-failed',
      }),
    }),
  },
  {
    provide: ClientService,
    inject: [SETTINGS, SHARED, SecurityInternals, SecurityEvents],
    useFactory: (
      { store, scopes, resources, clients }: AuthorizationServerSettings,
      { calls }: Shared,
      { clock }: SecurityInternals,
      events: SecurityEvents,
    ) => {
      const known = { scopes: Object.keys(scopes), resources: [...resources.keys()] };
      return new ClientService({ store, calls, clock, events, known, configured: clients });
    },
  },
  {
    provide: ApplicationsService,
    inject: [SETTINGS, SHARED, SecurityInternals, SecurityEvents, ClientService, TokenService],
    useFactory: (
      { store, issuer }: AuthorizationServerSettings,
      shared: Shared,
      { clock }: SecurityInternals,
      events: SecurityEvents,
      clients: ClientService,
      tokens: TokenService,
    ) => new ApplicationsService({ ...shared, store, issuer, clock, events, clients, tokens }),
  },
  {
    provide: AuthorizationServer,
    inject: [
      SETTINGS,
      SHARED,
      SecurityInternals,
      SecurityEvents,
      ClientService,
      ApplicationsService,
      TokenService,
    ],
    useFactory: (
      settings: AuthorizationServerSettings,
      shared: Shared,
      { clock, attempts }: SecurityInternals,
      events: SecurityEvents,
      clients: ClientService,
      applications: ApplicationsService,
      tokens: TokenService,
    ) =>
      new AuthorizationServer({
        ...shared,
        settings,
        clock,
        attempts,
        events,
        clients,
        applications,
        tokens,
      }),
  },
];
