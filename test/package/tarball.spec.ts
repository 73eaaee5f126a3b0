import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { send } from '../support/http-client.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
  dependencies: Record<string, string>;
};

/** An application without a compiler: decorators are functions. */
const APP = `
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiKeyAuth, ApiKeyService, SecurityModule } from 'nestjs-api-security';

class OrdersController { list() { return { orders: [] }; } }
const method = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list');
Get()(OrdersController.prototype, 'list', method);
ApiKeyAuth('orders:read')(OrdersController.prototype, 'list', method);
Controller('orders')(OrdersController);
class AppModule {}
Module({ imports: [SecurityModule.forRoot({ apiKeys: {}, https: 'off', logger: false })], controllers: [OrdersController] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const { key } = await app.get(ApiKeyService).issue({ owner: 'o', name: 'n', scopes: ['orders:read'] });
console.log(JSON.stringify({ port: app.getHttpServer().address().port, key }));
`;

describe('the package as users install it', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-api-security-'));
    const source = join(folder, 'source');
    // A copy, so that the build does not pull the ground from under tests that run beside this one.
    for (const name of ['lib', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md']) {
      cpSync(join(ROOT, name), join(source, name), { recursive: true });
    }
    execFileSync('ln', ['-s', join(ROOT, 'node_modules'), join(source, 'node_modules')]);
    execFileSync(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
      { cwd: source },
    );
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source });
    const { devDependencies: versions } = manifest;
    const nest = ['common', 'core', 'platform-express'].map(
      (name) => `@nestjs/${name}@${versions[`@nestjs/${name}`]}`,
    );
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'empty-app', private: true, type: 'module' }),
    );
    writeFileSync(join(folder, 'app.js'), APP);
    execFileSync(
      'npm',
      [
        'install',
        '--silent',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        `./nestjs-api-security-${manifest.version}.tgz`,
        ...nest,
      ],
      { cwd: folder, stdio: 'pipe' },
    );
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('R-CF-05 holds what is built and its sources, and nothing else', () => {
    const installed = join(folder, 'node_modules/nestjs-api-security');
    for (const name of ['dist/index.js', 'dist/index.d.ts', 'lib/index.ts', 'README.md']) {
      expect(existsSync(join(installed, name)), name).toBe(true);
    }
    for (const name of ['test', 'sample', 'bench', 'tsconfig.json'])
      expect(existsSync(join(installed, name)), name).toBe(false);
  });

  it('R-CF-05 does not bring what the application did not ask for', () => {
    for (const name of [
      '@nestjs/swagger',
      '@nestjs/platform-fastify',
      '@nestjs/graphql',
      '@nestjs/websockets',
      '@opentelemetry/api',
      'ioredis',
      'kysely',
    ]) {
      expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false);
    }
    expect(
      Object.keys(manifest.dependencies)
        .filter((name) => name.startsWith('@nestjs/'))
        .toSorted(),
    ).toEqual(['@nestjs/passport', '@nestjs/throttler']);
  });

  it('protects an empty Nest application', async () => {
    const child = spawn(process.execPath, ['app.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const { port, key } = JSON.parse(line) as { port: number; key: string };
      expect((await send(port, 'GET', '/orders')).status).toBe(401);
      const answer = await send(port, 'GET', '/orders', { headers: { authorization: `Api-Key ${key}` } });
      expect(answer.status).toBe(200);
      expect(answer.header('x-content-type-options')).toBe('nosniff');
    } finally {
      child.kill();
    }
  });
});
