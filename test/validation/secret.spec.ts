import { inspect } from 'node:util';

import { Body, Controller, Post } from '@nestjs/common';
import { DocumentBuilder, PartialType, PickType, SwaggerModule, ApiProperty } from '@nestjs/swagger';
import { instanceToPlain, Type } from 'class-transformer';
import { IsString, MaxLength, ValidateNested } from 'class-validator';
import { Public, Secret, SecurityEvents, type SecurityEvent } from 'nestjs-api-security';
import { applySecurityToDocument } from 'nestjs-api-security/openapi';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { bodyOf, strict, verdictOf } from './verdict.js';

const PASSWORD = 'correct-horse-battery';

class LoginDto {
  @ApiProperty()
  @IsString()
  @MaxLength(20)
  name!: string;

  @ApiProperty()
  @Secret({ minLength: 12, maxLength: 64 })
  password!: string;
}

class NoteLoginDto extends LoginDto {
  @IsString()
  note!: string;

  toJSON(): object {
    return Object.assign({ kind: 'login' }, this);
  }
}

class ChangeDto {
  @ApiProperty()
  @ValidateNested()
  @Type(() => LoginDto)
  login!: LoginDto;

  @Secret({}, { each: true })
  codes!: string[];
}

class PartialLoginDto extends PartialType(LoginDto) {}
class PickedLoginDto extends PickType(LoginDto, ['password'] as const) {}

const made = async <T>(dto: new () => T, value: object): Promise<T> => {
  const verdict = await verdictOf(strict, value, bodyOf(dto));
  expect(verdict.details).toEqual([]);
  return verdict.value as T;
};
const texts = (value: object): string[] => [
  JSON.stringify(value),
  JSON.stringify({ deep: [value] }),
  inspect(value),
  inspect({ deep: [value] }, { depth: 9 }),
  JSON.stringify(instanceToPlain(value)),
];

describe('@Secret()', () => {
  it('R-LG-03 is read by its name, and shown in no text that is made of the instance', async () => {
    const login = await made(LoginDto, { name: 'ada', password: PASSWORD });
    expect(login.password).toBe(PASSWORD);
    for (const text of texts(login)) {
      expect(text).toContain('***');
      expect(text).toContain('ada');
      expect(text).not.toContain('horse');
    }
    expect(inspect(login)).toBe("LoginDto { name: 'ada', password: '***' }");
    expect(login.password).toBe(PASSWORD);
  });

  it.each([
    ['nested ones and lists', ChangeDto, { login: { name: 'ada', password: PASSWORD }, codes: [PASSWORD] }],
    ['a class with a text of its own', NoteLoginDto, { name: 'ada', note: 'n', password: PASSWORD }],
    ['PartialType', PartialLoginDto, { password: PASSWORD }],
    ['PickType', PickedLoginDto, { password: PASSWORD }],
  ])('R-LG-03 hides %s', async (_, dto, value) => {
    for (const text of texts(await made(dto as new () => object, value))) {
      expect(text).not.toContain('horse');
      expect(text).toContain('***');
    }
  });

  it('R-LG-03 leaves what is absent absent', async () => {
    expect(JSON.stringify(await made(PartialLoginDto, {}))).toBe('{}');
  });

  it.each(['short', 'x'.repeat(65), 5, ['a'.repeat(20)], { $gt: '' }])(
    'R-IV-12 R-IV-16 refuses %j',
    async (password) => {
      const verdict = await verdictOf(strict, { name: 'ada', password }, bodyOf(LoginDto));
      expect(verdict).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    },
  );
});

@Controller('login')
class LoginController {
  @Post()
  @Public()
  login(@Body() login: LoginDto): object {
    return { seen: login, length: login.password.length };
  }
}

describe.each(ADAPTERS)('@Secret() on %s', (adapter) => {
  afterEach(closeApps);

  it('R-LG-03 R-IV-28 comes out in no answer, event or document', async () => {
    const { port, app } = await startSecured(adapter, {}, { controllers: [LoginController] });
    const events: SecurityEvent[] = [];
    app.get(SecurityEvents).stream.subscribe((event) => events.push(event));

    const good = await send(port, 'POST', '/login', { json: { name: 'ada', password: PASSWORD } });
    expect(good.json).toEqual({ seen: { name: 'ada', password: '***' }, length: PASSWORD.length });

    const bad = await send<ErrorEnvelope>(port, 'POST', '/login', {
      json: { name: 'a'.repeat(30), password: `horse${'x'.repeat(100)}` },
    });
    expect(bad.json.error.details).toEqual([
      expect.objectContaining({ path: 'name', rule: 'maxLength' }),
      { path: 'password', rule: 'isSecret', message: 'password must be a text of 12 to 64 characters' },
    ]);
    expect(bad.text + inspect(events, { depth: 9 })).not.toContain('horse');

    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect(applySecurityToDocument(app, document).components?.schemas?.['LoginDto']).toMatchObject({
      properties: {
        name: { type: 'string' },
        password: { type: 'string', format: 'password', writeOnly: true },
      },
    });
  });
});
