import 'reflect-metadata';

import { createServer } from 'node:http';

import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

import type { ServerCommand, ServerReport, ServerSetup } from '../measure/server-messages.js';
import type { Contestant } from './contestant.js';
import { CONTESTANTS } from './hand-made.js';

// A child process: takes a ServerSetup as its argument, and tells its port and its CPU time to the parent.

const report = (message: ServerReport): void => void process.send?.(message);

async function createContestant({ contestant, credentials }: ServerSetup): Promise<Contestant> {
  if (contestant.startsWith('module:')) {
    const { withModule } = await import('./with-module.js');
    return withModule(contestant === 'module:jwt' ? 'jwt' : 'api-key', credentials);
  }
  const factory = CONTESTANTS[contestant];
  if (factory === undefined) throw new Error(`no contestant ${contestant}`);
  return factory(credentials);
}

async function start(setup: ServerSetup): Promise<{ port: number; apiKey: string }> {
  const contestant = await createContestant(setup);
  const { apiKey } = setup.credentials;
  if (contestant.isRaw) return { port: await startRaw(), apiKey };

  class AppModule {}
  Module(contestant.metadata)(AppModule satisfies Type);
  const adapter = setup.adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, adapter, {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  contestant.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const port = Number(new URL(await app.getUrl()).port);
  return { port, apiKey: (await contestant.issueKey?.(app)) ?? apiKey };
}

function startRaw(): Promise<number> {
  const body = JSON.stringify({ id: '9b2f6a1e', status: 'open', total: 1299, currency: 'EUR' });
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  });
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
}

process.on('message', (command: ServerCommand) => {
  if (command !== 'cpu') process.exit(0);
  const { user, system } = process.cpuUsage();
  report({ kind: 'cpu', micros: user + system });
});
process.on('disconnect', () => process.exit(0));

// The parent is our own and writes nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const setup = JSON.parse(process.argv[2] ?? '{}') as ServerSetup;
try {
  report({ kind: 'ready', ...(await start(setup)) });
} catch (error) {
  report({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
