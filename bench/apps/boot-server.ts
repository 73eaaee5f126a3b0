import 'reflect-metadata';

import { Controller, Get, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import type { BootReport, BootSetup } from '../measure/boot-messages.js';

// A child process: boots an application with many routes and tells how long it took.

type Decorate = (controller: Type, handler: string) => void;

function createController(index: number, handlers: number, decorate: Decorate): Type {
  class ManyRoutesController {}
  const { prototype } = ManyRoutesController;
  for (let i = 0; i < handlers; i += 1) {
    const name = `route${String(i)}`;
    const descriptor: PropertyDescriptor = { value: () => ({}), writable: true, configurable: true };
    Object.defineProperty(prototype, name, descriptor);
    Get(`${name}/:id`)(prototype, name, descriptor);
    decorate(ManyRoutesController, name);
  }
  Controller(`resource${String(index)}`)(ManyRoutesController);
  return ManyRoutesController;
}

/** This module with nothing but API keys, and a decorator on each route. */
async function withModule(): Promise<{ imports: DynamicModule[]; decorate: Decorate }> {
  const { ApiKeyAuth, SecurityModule } = await import('nestjs-api-security');
  const auth = ApiKeyAuth('items:read');
  return {
    imports: [SecurityModule.forRoot({ https: 'off', apiKeys: {}, logger: false })],
    decorate: ({ prototype }: Type<object>, handler) => {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, handler);
      if (descriptor) auth(prototype, handler, descriptor);
    },
  };
}

const BARE = { imports: [], decorate: (): void => undefined };

async function boot({ adapter, contestant, routes, perController }: BootSetup): Promise<BootReport> {
  const { imports, decorate } = contestant === 'module' ? await withModule() : BARE;
  const controllers = Array.from({ length: Math.ceil(routes / perController) }, (_, index) =>
    createController(index, perController, decorate),
  );
  class AppModule {}
  Module({ imports, controllers })(AppModule);

  const created = performance.now();
  const httpAdapter = adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, httpAdapter, {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  await app.listen(0, '127.0.0.1');
  const now = performance.now();
  return { kind: 'booted', sinceProcessStartMs: now, nestMs: now - created };
}

// The parent is our own and writes nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const setup = JSON.parse(process.argv[2] ?? '{}') as BootSetup;
const report = await boot(setup);
process.send?.(report);
process.on('disconnect', () => process.exit(0));
