import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';

import { ApiKeyService } from './authentication/api-key/api-key.service.js';
import { TokenService } from './authentication/jwt/token.service.js';
import { RouteExplorer } from './boot/route-explorer.js';
import { SecurityBootstrap } from './boot/security-bootstrap.js';
import { SecurityInternals } from './boot/security-internals.js';
import { SecurityReadiness } from './boot/security-readiness.js';
import { SecurityRuntime } from './boot/security-runtime.js';
import { SecurityEvents } from './events/security-events.js';
import { SecurityHeadersInterceptor } from './headers/security-headers.interceptor.js';
import { PolicyRegistry } from './policy/policy-registry.js';
import { RateLimitPlans } from './rate-limit/plans/rate-limit-plans.js';
import type { SecurityAsyncOptions, SecurityOptions } from './security-options.js';

const OPTIONS = Symbol('nestjs-api-security.options');
/** With no limit at all the throttler's guard would warn that nothing is limited. */
const NO_LIMIT = { limit: 1, ttl: 1, skipIf: () => true };

/** What the throttler's module and ours share: the options, made once, and all that is built from them. */
function coreModule({ imports = [], inject = [], useFactory }: SecurityAsyncOptions): DynamicModule {
  const providers: Provider[] = [
    { provide: OPTIONS, inject: inject as never[], useFactory },
    RouteExplorer,
    {
      provide: SecurityRuntime,
      inject: [OPTIONS, RouteExplorer, HttpAdapterHost],
      useFactory: (options: SecurityOptions, explorer: RouteExplorer, host: HttpAdapterHost) =>
        SecurityRuntime.create(options, explorer, host),
    },
  ];
  return {
    module: SecurityCoreModule,
    imports: [DiscoveryModule, ...imports],
    providers,
    exports: [SecurityRuntime, RouteExplorer],
  };
}

/** @internal */
@Module({})
class SecurityCoreModule {}

/** A provider that hands out one part of the runtime under the class by which applications inject it. */
function part<T>(
  provide: Provider extends infer _ ? abstract new (...args: never[]) => T : never,
  get: (runtime: SecurityRuntime) => T,
): Provider {
  return { provide, inject: [SecurityRuntime], useFactory: get };
}

/**
 * The security layer of an application. Import it once, in the root module.
 *
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ apiKeys: {}, https: 'reject' })] })
 * export class AppModule {}
 */
@Module({})
export class SecurityModule {
  /**
   * With no options at all: headers, limits, strict validation, the error envelope and HTTPS handling.
   * @throws SecurityConfigurationError at boot, listing every problem and its fix
   */
  static forRoot(options: SecurityOptions = {}): DynamicModule {
    return SecurityModule.forRootAsync({ useFactory: () => options });
  }

  /** The same with options that come from other providers. */
  static forRootAsync(options: SecurityAsyncOptions): DynamicModule {
    const core = coreModule(options);
    const throttler = ThrottlerModule.forRootAsync({
      imports: [core],
      inject: [SecurityRuntime],
      // Limits come from the policies; the throttler's own guard, if an application has it, counts nothing twice.
      useFactory: ({ throttlerStorage: storage }: SecurityRuntime) => ({ throttlers: [NO_LIMIT], storage }),
    });
    const parts: Provider[] = [
      part(SecurityEvents, (runtime) => runtime.events),
      part(PolicyRegistry, (runtime) => runtime.registry),
      part(ApiKeyService, (runtime) => runtime.apiKeyService),
      part(TokenService, (runtime) => runtime.tokenService),
      part(RateLimitPlans, (runtime) => runtime.plans),
      part(SecurityReadiness, (runtime) => runtime.readiness),
      part(SecurityInternals, (runtime) => runtime.internals),
    ];
    return {
      module: SecurityModule,
      global: true,
      imports: [core, throttler],
      providers: [
        ...parts,
        SecurityHeadersInterceptor,
        SecurityBootstrap,
        {
          provide: APP_GUARD,
          inject: [SecurityRuntime],
          useFactory: (runtime: SecurityRuntime) => runtime.guard,
        },
        {
          provide: APP_PIPE,
          inject: [SecurityRuntime],
          useFactory: (runtime: SecurityRuntime) => runtime.pipe,
        },
        {
          provide: APP_FILTER,
          inject: [SecurityRuntime],
          useFactory: (runtime: SecurityRuntime) => runtime.filter,
        },
      ],
      exports: [
        SecurityEvents,
        PolicyRegistry,
        ApiKeyService,
        TokenService,
        RateLimitPlans,
        SecurityReadiness,
        SecurityInternals,
        SecurityHeadersInterceptor,
        throttler,
      ],
    };
  }
}
