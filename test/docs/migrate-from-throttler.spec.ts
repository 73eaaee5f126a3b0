import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Type } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { codeBlocks, ROOT } from './markdown-blocks.js';

describe('docs/migrate-from-throttler.md', () => {
  const applications = codeBlocks('docs/migrate-from-throttler.md').filter(({ code }) =>
    code.includes('export class AppModule'),
  );
  let folder: string;
  // Beside this file, so that its imports are resolved like those of the tests.
  beforeAll(() => (folder = mkdtempSync(join(ROOT, 'test/docs/run-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(closeApps);

  const cases = ADAPTERS.flatMap((adapter) =>
    ['before', 'after'].map((when, index) => ({ adapter, when, index })),
  );

  it.each(cases)('limits the same requests $when the swap, on $adapter', async ({ adapter, when, index }) => {
    const file = join(folder, `${when}-${adapter}.ts`);
    writeFileSync(file, applications[index]!.code);
    const { AppModule } = (await import(file)) as { AppModule: Type };
    const { port } = await startBare(adapter, { imports: [AppModule] });
    const statuses = async (path: string, times: number) => {
      const found: number[] = [];
      for (let i = 0; i < times; i += 1) found.push((await send(port, 'GET', path)).status);
      return found;
    };
    expect(await statuses('/cats', 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses('/cats/search', 2)).toEqual([200, 429]);
    expect(await statuses('/cats/status', 5)).toEqual([200, 200, 200, 200, 200]);
  });

  it('shows one application twice', () => expect(applications).toHaveLength(2));
});
