import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { applySecurityToDocument } from 'nestjs-api-security/openapi';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { startKeyRoutes } from './key-routes-app.js';

afterEach(closeApps);

describe('the ready-made routes in an OpenAPI document', () => {
  it('CONTRACT-6 are described in full, without a decorator of @nestjs/swagger', async () => {
    const { app } = await startKeyRoutes('express', { schemes: ['jwt', 'api-key'], reports: {} });
    const description = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
    const document = applySecurityToDocument(app, SwaggerModule.createDocument(app, description));
    const { paths, components } = document;
    expect(
      Object.entries(paths).map(([path, item]) => `${Object.keys(item).toSorted().join()} ${path}`),
    ).toEqual([
      'get,post /api-keys',
      'delete,get,patch /api-keys/{id}',
      'get /api-keys/{id}/usage',
      'post /api-keys/{id}/rotate',
      'post /api-keys/reports',
    ]);
    const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });
    const json = (schema: object) => ({ content: { 'application/json': { schema } } });
    expect(paths['/api-keys']).toMatchObject({
      post: {
        summary: expect.any(String) as unknown,
        security: [{ jwt: [] }, { 'api-key': ['api-keys:manage'] }],
        requestBody: { required: true, ...json(reference('CreateApiKeyDto')) },
        responses: { 201: json(reference('IssuedApiKeyDto')) },
      },
      get: {
        parameters: [
          { name: 'limit', in: 'query', required: false, schema: { type: 'number', maximum: 100 } },
          { name: 'after', in: 'query', required: false, schema: { type: 'string' } },
        ],
        responses: { 200: json({ type: 'array', items: reference('ApiKeyDto') }) },
      },
    });
    expect(paths['/api-keys/{id}']!.delete!.responses['204']).toBeDefined();
    expect(components!.schemas).toMatchObject({
      CreateApiKeyDto: {
        additionalProperties: false,
        required: ['name', 'scopes'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 100 },
          scopes: { type: 'array', items: { type: 'string' }, minItems: 1 },
          expiresAt: { type: 'string', format: 'date-time' },
          metadata: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      IssuedApiKeyDto: { properties: { key: { type: 'string' }, createdAt: { format: 'date-time' } } },
      ApiKeyUsageDto: { properties: { days: { type: 'array', items: reference('ApiKeyDayDto') } } },
      KeyReportsDto: {
        additionalProperties: false,
        properties: { reports: { type: 'array', items: reference('KeyReportDto'), maxItems: 100 } },
      },
      KeyReportDto: { additionalProperties: false },
    });
    expect(components!.schemas!['IssuedApiKeyDto']).toHaveProperty('properties.hint');
  });
});
