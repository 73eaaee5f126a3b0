import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';

import { SecurityRuntime } from './security-runtime.js';

/** Ties the runtime to the application's life: compiles when all modules are up, lets go when it shuts down. */
@Injectable()
export class SecurityBootstrap implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Security');

  constructor(private readonly runtime: SecurityRuntime) {}

  onModuleInit(): void {
    this.runtime.hardenServer();
  }

  async onApplicationBootstrap(): Promise<void> {
    const report = this.runtime.compile();
    await this.runtime.start();
    if (report !== undefined) this.#logger.log(report);
    for (const warning of this.runtime.warnings) this.#logger.warn(warning);
  }

  onApplicationShutdown(): Promise<void> {
    return this.runtime.close();
  }
}
