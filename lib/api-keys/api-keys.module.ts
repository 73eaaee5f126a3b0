import { type DynamicModule, Module } from '@nestjs/common';

import { type ApiKeyRoutesOptions, compileApiKeyRoutes } from './api-key-routes.options.js';
import { createApiKeysController } from './api-keys.controller.js';
import { createReportsController } from './reports.controller.js';

/**
 * Routes by which callers manage API keys of their own, and the endpoint for secret scanners. `SecurityModule` must be
 * imported too, with `apiKeys` configured.
 *
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ apiKeys: {}, jwt }), ApiKeysModule.forRoot()] })
 * export class AppModule {}
 */
@Module({})
export class ApiKeysModule {
  /** @throws SecurityConfigurationError listing every problem and its fix */
  static forRoot(options: ApiKeyRoutesOptions = {}): DynamicModule {
    const settings = compileApiKeyRoutes(options);
    const { reports } = settings;
    return {
      module: ApiKeysModule,
      controllers: [
        createApiKeysController(settings),
        ...(reports === undefined ? [] : [createReportsController(reports)]),
      ],
    };
  }
}
