import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PATH_METADATA } from '@nestjs/common/constants.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createApiKeysController } from '../../lib/api-keys/api-keys.controller.js';
import { createReportsController } from '../../lib/api-keys/reports.controller.js';
import { createApplicationsController } from '../../lib/authorization-server/applications/applications.controller.js';
import { createClientsController } from '../../lib/authorization-server/clients/clients.controller.js';
import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { RouteMetadata } from '../../lib/policy/metadata.js';
import { auditInputs } from '../../lib/validation/audit/audit-report.js';
import { codeBlocks, documentationFiles, ROOT } from './markdown-blocks.js';

type Controller = new (...args: never[]) => object;

/** What the audit says of the inputs of controllers. */
function loose(controllers: readonly unknown[]): string[] {
  const problems = new ConfigurationProblems();
  const routes = controllers.filter(isController).flatMap((controller) =>
    Object.getOwnPropertyNames(controller.prototype)
      .filter((name) => name !== 'constructor')
      .map((methodName) => {
        const handler = (controller.prototype as Record<string, (...args: never[]) => unknown>)[methodName]!;
        return { metadata: new RouteMetadata(controller, handler), methodName };
      }),
  );
  auditInputs(routes, { unbounded: 'refuse' }, problems);
  return problems.all.map(({ where, problem }) => `${where} ${problem}`);
}

const isController = (value: unknown): value is Controller =>
  typeof value === 'function' && Reflect.hasMetadata(PATH_METADATA, value);

/** Examples with input classes and no application that would start. */
const examples = documentationFiles()
  .flatMap(codeBlocks)
  .filter(
    ({ info, code }) =>
      info === 'ts runnable' && code.includes("'class-validator'") && !code.includes('NestFactory'),
  );
let folder = '';

beforeAll(() => {
  // Examples declare what an application has; what it is does not matter to its inputs.
  vi.stubGlobal('environment', new Proxy({}, { get: () => 'x'.repeat(64) }));
  folder = mkdtempSync(join(ROOT, 'test', 'docs', 'examples-'));
});
afterAll(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

describe('what we show is what we ask for', () => {
  it('R-IV-10 there are examples', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)('R-IV-10 R-IV-13 input classes at $where have bounds', async ({ where, code }) => {
    const file = join(folder, `${where.replaceAll(/\W/g, '-')}.ts`);
    // Not every example exports its controllers.
    const names = [...code.matchAll(/class (\w+)/g)].map((match) => match[1]!);
    writeFileSync(file, `${code}\nexport const CLASSES = [${names.join(', ')}];\n`);
    const { CLASSES } = (await import(file)) as { CLASSES: readonly unknown[] };
    expect(loose(CLASSES)).toEqual([]);
  });

  it('R-IV-10 R-IV-13 so have those of the samples', async () => {
    const modules = await Promise.all([
      import('../../sample/quickstart/users/users.controller.js'),
      import('../../sample/quickstart/auth/auth.controller.js'),
      import('../../sample/quickstart/docs/docs.controller.js'),
      import('../../sample/oauth/users-api/users.controller.js'),
    ]);
    expect(loose(modules.flatMap((one): unknown[] => Object.values(one)))).toEqual([]);
  });

  it('R-IV-10 R-IV-13 and those of the routes that come with the package', () => {
    expect(
      loose([
        createApiKeysController({ path: 'keys', schemes: ['jwt'], decorators: [] } as never),
        createReportsController({ path: 'reports', schemes: ['jwt'], limit: '5/minute' } as never),
        createApplicationsController('applications'),
        createClientsController('clients', 'admin'),
      ]),
    ).toEqual([]);
  });
});
