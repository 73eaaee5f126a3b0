import type { INestApplicationContext } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import {
  IsEmailAddress,
  IsFullDate,
  IsRfc3339,
  IsStrictUrl,
  IsStrictUuid,
  Secret,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { applySecurityToDocument } from '../../lib/openapi/index.js';
import { bodyOf, strict, verdictOf } from '../validation/verdict.js';

class FormatsDto {
  @IsStrictUuid()
  id!: string;

  @IsRfc3339()
  at!: string;

  @IsFullDate()
  day!: string;

  @IsEmailAddress()
  email!: string;

  @IsStrictUrl({}, { each: true })
  links!: string[];

  @Secret()
  password!: string;

  @IsString()
  note!: string;
}

describe('formats in a document', () => {
  it('R-IV-15 R-LG-03 are those of the rules, unless the document has one; secrets are for writing only', async () => {
    // The boot reads the shapes of what routes take; here a pipe does.
    await verdictOf(strict, {}, bodyOf(FormatsDto));
    const text = { type: 'string' };
    const properties = {
      id: text,
      at: { type: 'string', format: 'own' },
      day: text,
      email: text,
      links: { type: 'array', items: text },
      password: text,
      note: text,
    };
    const document = {
      openapi: '3.1.0',
      info: { title: 't', version: '1' },
      paths: {},
      components: { schemas: { FormatsDto: { type: 'object', properties } } },
    } as OpenAPIObject;
    const app = { get: () => ({ policies: [] }) } as unknown as INestApplicationContext;
    expect(applySecurityToDocument(app, document).components?.schemas?.['FormatsDto']).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string', format: 'uuid' },
        at: { type: 'string', format: 'own' },
        day: { type: 'string', format: 'date' },
        email: { type: 'string', format: 'email' },
        links: { type: 'array', items: { type: 'string', format: 'uri' } },
        password: { type: 'string', format: 'password', writeOnly: true },
        note: { type: 'string' },
      },
    });
  });
});
