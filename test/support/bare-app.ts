import 'reflect-metadata';

import { Module, type ModuleMetadata } from '@nestjs/common';

import { type Adapter, type RunningApp, startApp, type StartOptions } from './app.js';

export { ADAPTERS, type Adapter } from './app.js';

const running = new Set<RunningApp>();

/**
 * Starts an application without this module, to show what the packages below it do by themselves.
 * `closeApps()` ends it.
 *
 * @example
 * const { port } = await startBare('express', { controllers: [CatsController] });
 */
export async function startBare(
  adapter: Adapter,
  metadata: ModuleMetadata,
  options: StartOptions = {},
): Promise<RunningApp> {
  class BareModule {}
  Module(metadata)(BareModule);
  const app = await startApp(adapter, BareModule, options);
  running.add(app);
  return app;
}

/** Ends all applications of {@link startBare}; for `afterEach`. */
export async function closeApps(): Promise<void> {
  const apps = [...running];
  running.clear();
  await Promise.all(apps.map((app) => app.close()));
}
