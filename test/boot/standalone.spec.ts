import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiKeyService, SecurityModule } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

describe('an application without HTTP', () => {
  it('R-CF-01 boots, and manages keys', async () => {
    @Module({ imports: [SecurityModule.forRoot({ apiKeys: {}, https: 'off', logger: false })] })
    class JobModule {}
    const app = await NestFactory.createApplicationContext(JobModule, { logger: false, abortOnError: false });
    const service = app.get(ApiKeyService);
    const { key, id } = await service.issue({ owner: 'ada', name: 'job', scopes: [] });
    expect(await service.verify(key)).toMatchObject({ id });
    await app.close();
  });
});
