import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { SecurityMetrics, type SecurityMetricsOptions } from './security-metrics.js';

/**
 * {@link SecurityMetrics} for as long as the application runs. Import it in one application of a process.
 *
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ … }), SecurityMetricsModule.forRoot()] })
 * export class AppModule {}
 */
@Module({})
export class SecurityMetricsModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(SecurityMetrics) private readonly metrics: SecurityMetrics) {}

  static forRoot(options: SecurityMetricsOptions = {}): DynamicModule {
    return {
      module: SecurityMetricsModule,
      providers: [{ provide: SecurityMetrics, useFactory: () => new SecurityMetrics(options) }],
      exports: [SecurityMetrics],
    };
  }

  onModuleInit(): void {
    this.metrics.start();
  }

  onApplicationShutdown(): void {
    this.metrics.stop();
  }
}
