import 'reflect-metadata';

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { INestApplication, Type } from '@nestjs/common';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Both adapters: tests that speak HTTP run on each. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

export interface RunningApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  readonly close: () => Promise<void>;
}

export interface StartOptions extends NestApplicationOptions {
  /** As the adapter takes it. */
  readonly trustProxy?: string | number | boolean;
  /** Any free one by default. */
  readonly port?: number;
  /** Called before the application listens. */
  readonly configure?: (app: INestApplication) => void | Promise<void>;
}

/** Starts a module on a free port of the loopback interface. */
export async function startApp(
  adapter: Adapter,
  module: Type | object,
  { trustProxy, configure, port: wanted = 0, ...options }: StartOptions = {},
): Promise<RunningApp> {
  const http =
    adapter === 'express'
      ? new ExpressAdapter()
      : new FastifyAdapter({
          ...(trustProxy === undefined ? {} : { trustProxy: trustProxy as string }),
          // Fastify makes its server at once, so it cannot be told later.
          ...(options.httpsOptions && { https: options.httpsOptions as object }),
        } as object);
  const app = await NestFactory.create(module as Type, http, {
    logger: false,
    abortOnError: false,
    ...options,
  });
  if (adapter === 'express' && trustProxy !== undefined) {
    (app.getHttpAdapter().getInstance() as { set(name: string, value: unknown): void }).set(
      'trust proxy',
      trustProxy,
    );
  }
  await configure?.(app);
  await app.listen(wanted, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return { app, port, url: `http://127.0.0.1:${port}`, close: () => app.close() };
}
