import 'reflect-metadata';

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import { AppModule } from './app.module.js';
import { banner } from './banner.js';
import { type QuickstartConfiguration, readConfiguration } from './configuration.js';
import { DemoData } from './demo-data.service.js';
import { ApiDocument } from './docs/api-document.service.js';

async function main(): Promise<void> {
  const configuration = readConfiguration(process.env);
  const app = await createApplication(configuration);
  app.enableShutdownHooks();
  await app.init();
  app.get(ApiDocument).build(app);
  const apiKey = await app.get(DemoData).create(configuration.demoPassword);
  await app.listen(configuration.port);
  const { port } = app.getHttpServer().address() as AddressInfo;
  console.log(banner(`http://localhost:${port}`, apiKey, configuration));
}

async function createApplication(configuration: QuickstartConfiguration): Promise<INestApplication<Server>> {
  const { adapter, trustProxy } = configuration;
  const module = AppModule.register(configuration);
  if (adapter === 'fastify') {
    // Fastify believes no mere number of hops, so it is told hop by hop.
    const trust = typeof trustProxy === 'number' ? (_: string, hop: number) => hop < trustProxy : trustProxy;
    return NestFactory.create(module, new FastifyAdapter(trust === undefined ? {} : { trustProxy: trust }));
  }
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter());
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  return app;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  // A start that failed half-way may have left something open that would keep the process.
  process.exit(1);
}
