import { Body, Controller, Patch, Post } from '@nestjs/common';
import { ApiProperty, DocumentBuilder, PartialType, SwaggerModule } from '@nestjs/swagger';
import { Exclude, Expose, Type } from 'class-transformer';
import {
  Equals,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { arrayOf, IsNullable, oneOf, partialOf, Public, ValidationGroups } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter, type RunningApp } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { bodyOf, strict, verdictOf } from './verdict.js';

class Address {
  @IsString()
  @MaxLength(20)
  city!: string;

  @IsIn(['verified', 'unverified'], { groups: ['admin'] })
  state!: string;

  get label(): string {
    return `in ${this.city}`;
  }
}

class User {
  @ApiProperty({ maxLength: 10 })
  @IsString()
  @MaxLength(10)
  name!: string;

  @IsOptional()
  @IsNullable()
  @IsString()
  @MaxLength(10)
  nickname?: string | null;

  @IsInt()
  @Min(1)
  @Max(9)
  level: number = 5;

  @ApiProperty({ enum: ['reader', 'writer'] })
  @IsOptional()
  @IsIn(['reader', 'writer'], { groups: ['admin'] })
  role?: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Address)
  address?: Address;

  greeting(): string {
    return `Hello ${this.name}`;
  }
}

class UpdateUser extends partialOf(User) {}

class Tree {
  @IsString()
  @MaxLength(5)
  name!: string;

  @IsString({ groups: ['deep'] })
  @MaxLength(5, { groups: ['deep'] })
  note!: string;

  @IsOptional()
  @ValidateNested({ each: true, always: true })
  @Type(() => Tree)
  children?: Tree[];
}

class Cat {
  @Equals('cat')
  kind!: 'cat';

  @IsInt({ groups: ['admin'] })
  @Min(0, { groups: ['admin'] })
  @Max(9, { groups: ['admin'] })
  lives!: number;
}

class Dog {
  @Equals('dog')
  kind!: 'dog';
}

@Controller()
@Public()
class GroupsController {
  @Patch('user')
  update(@Body() changes: UpdateUser): unknown {
    return { changes, keys: Object.keys(changes) };
  }

  @Post('user')
  @ValidationGroups('self')
  create(@Body() user: User): unknown {
    return { user, isUser: user instanceof User, greeting: user.greeting() };
  }

  @Patch('self/user')
  @ValidationGroups('self')
  updateSelf(@Body() changes: UpdateUser): unknown {
    return { keys: Object.keys(changes), isUpdate: changes instanceof UpdateUser };
  }

  @ValidationGroups('admin')
  @Post('admin/user')
  createByAdmin(@Body() user: User): unknown {
    return { user, label: user.address?.label, isAddress: user.address instanceof Address };
  }

  @Post('admin/users')
  @ValidationGroups('admin')
  createAll(@Body(arrayOf(User, { maxItems: 2 })) users: User[]): unknown {
    return users.every((user) => user instanceof User);
  }

  @Post('self/pet')
  @ValidationGroups('self')
  pet(@Body(oneOf([Cat, Dog], 'kind')) pet: Cat | Dog): unknown {
    return { isCat: pet instanceof Cat };
  }

  @Post('tree')
  @ValidationGroups('flat')
  tree(@Body() tree: Tree): unknown {
    return tree;
  }
}

const apps = {} as Record<Adapter, RunningApp>;
beforeAll(async () => {
  for (const adapter of ADAPTERS)
    apps[adapter] = await startSecured(
      adapter,
      { rateLimit: { read: false, write: false, address: false } },
      { controllers: [GroupsController] },
    );
});
afterAll(closeApps);

describe.each(ADAPTERS)('classes made from others on %s', (adapter) => {
  const ask = async (method: string, path: string, json: unknown) => {
    const answer = await send<ErrorEnvelope>(apps[adapter].port, method, path, { json });
    const broken = answer.json.error?.details?.map(({ path: at, rule }) => `${at} ${rule}`);
    return { status: answer.status, json: answer.json as unknown, code: answer.json.error?.code, broken };
  };

  it('R-IV-13 a partial update tells absent, null and value apart', async () => {
    expect((await ask('PATCH', '/user', {})).json).toEqual({ changes: {}, keys: [] });
    expect((await ask('PATCH', '/user', { nickname: null })).json).toEqual({
      changes: { nickname: null },
      keys: ['nickname'],
    });
    expect((await ask('PATCH', '/user', { name: 'Ada', level: 2 })).json).toEqual({
      changes: { name: 'Ada', level: 2 },
      keys: ['name', 'level'],
    });
  });

  it.each([
    [{ name: null }, 'VALIDATION_FAILED', ['name isNotNull']],
    [{ name: 'much too long' }, 'VALIDATION_FAILED', ['name maxLength']],
    [{ level: '5' }, 'VALIDATION_FAILED', ['level isInt', 'level max', 'level min']],
    [{ level: 10 }, 'VALIDATION_FAILED', ['level max']],
    [
      { address: {} },
      'VALIDATION_FAILED',
      ['address.city isString', 'address.city maxLength', 'address.state isIn'],
    ],
    [{ evil: 1 }, 'UNEXPECTED_FIELDS', ['evil whitelist']],
    [{ address: { city: 'x', state: 'verified', evil: 1 } }, 'UNEXPECTED_FIELDS', ['address.evil whitelist']],
  ])('R-IV-11 R-IV-13 keeps the rules of what comes: %j', async (body, code, broken) => {
    expect(await ask('PATCH', '/user', body)).toMatchObject({ status: 400, code, broken });
  });

  it('R-IV-13 what only another group may set is an unknown field', async () => {
    const user = { name: 'Ada', level: 1 };
    expect((await ask('POST', '/user', user)).json).toEqual({ user, isUser: true, greeting: 'Hello Ada' });
    expect(await ask('POST', '/user', { ...user, role: 'writer' })).toMatchObject({
      code: 'UNEXPECTED_FIELDS',
      broken: ['role whitelist'],
    });
    expect((await ask('POST', '/admin/user', { ...user, role: 'writer' })).status).toBe(201);
    expect(await ask('POST', '/admin/user', { ...user, role: 'god' })).toMatchObject({
      broken: ['role isIn'],
    });
    expect(await ask('POST', '/admin/user', { ...user, name: 'much too long' })).toMatchObject({
      broken: ['name maxLength'],
    });
  });

  it('R-IV-13 groups hold below, in lists and in unions', async () => {
    const user = { name: 'Ada', level: 1, address: { city: 'London' } };
    expect((await ask('POST', '/user', user)).status).toBe(201);
    expect(await ask('POST', '/user', { ...user, address: { city: 'x', state: 'verified' } })).toMatchObject({
      broken: ['address.state whitelist'],
    });
    expect(await ask('POST', '/admin/user', user)).toMatchObject({ broken: ['address.state isIn'] });
    const full = { ...user, address: { city: 'London', state: 'verified' } };
    expect((await ask('POST', '/admin/user', full)).json).toMatchObject({
      label: 'in London',
      isAddress: true,
    });
    expect((await ask('POST', '/admin/users', [full])).json).toBe(true);
    expect(await ask('POST', '/admin/users', [{ ...full, role: 1 }])).toMatchObject({
      broken: ['[0].role isIn'],
    });
    expect((await ask('POST', '/admin/users', [full, full, full])).status).toBe(400);
    expect((await ask('POST', '/self/pet', { kind: 'cat' })).json).toEqual({ isCat: true });
    expect(await ask('POST', '/self/pet', { kind: 'cat', lives: 9 })).toMatchObject({
      broken: ['lives whitelist'],
    });
  });

  it('R-IV-13 groups and partial updates go together', async () => {
    expect((await ask('PATCH', '/self/user', { name: 'Ada' })).json).toEqual({
      keys: ['name'],
      isUpdate: true,
    });
    expect(await ask('PATCH', '/self/user', { role: 'writer' })).toMatchObject({
      broken: ['role whitelist'],
    });
    expect(await ask('PATCH', '/self/user', { name: null })).toMatchObject({ broken: ['name isNotNull'] });
  });

  it('R-IV-11 a class may contain itself', async () => {
    expect((await ask('POST', '/tree', { name: 'a', children: [{ name: 'b', children: [] }] })).status).toBe(
      201,
    );
    expect(await ask('POST', '/tree', { name: 'a', children: [{ name: 'b', note: 'x' }] })).toMatchObject({
      broken: ['children[0].note whitelist'],
    });
  });
});

describe('classes made from others', () => {
  it('R-IV-13 are documented as what they are', () => {
    const { app } = apps.express;
    const { components, paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const bodyOfRoute = (path: string, method: 'post' | 'patch'): object => {
      const { requestBody } = paths[path]![method] as {
        requestBody: { content: Record<string, { schema: { $ref: string } }> };
      };
      const name = requestBody.content['application/json']!.schema.$ref.split('/').at(-1)!;
      return components!.schemas![name]!;
    };
    expect(bodyOfRoute('/user', 'post')).toEqual({
      type: 'object',
      properties: { name: { type: 'string', maxLength: 10 } },
      required: ['name'],
    });
    expect(bodyOfRoute('/admin/user', 'post')).toMatchObject({
      properties: { role: { enum: ['reader', 'writer'] } },
    });
    expect(bodyOfRoute('/user', 'patch')).not.toHaveProperty('required');
  });
});

describe('partialOf', () => {
  class Renamed {
    @Expose({ name: 'first_name' })
    @IsString()
    @MaxLength(5)
    firstName!: string;

    @Exclude()
    @IsString()
    secret!: string;
  }

  it('R-IV-13 keeps names on the wire, and what is excluded', async () => {
    const Partial = partialOf(Renamed);
    expect((await verdictOf(strict, { first_name: 'Ada' }, bodyOf(Partial))).value).toEqual({
      firstName: 'Ada',
    });
    expect((await verdictOf(strict, { firstName: 'Ada' }, bodyOf(Partial))).broken).toEqual([
      'firstName whitelist',
    ]);
    expect((await verdictOf(strict, { secret: 'x' }, bodyOf(Partial))).broken).toEqual(['secret whitelist']);
  });

  it('R-IV-13 leaves the first class as it is', async () => {
    expect((await verdictOf(strict, {}, bodyOf(User))).broken).toContain('name isString');
  });

  it('R-IV-13 does what PartialType cannot: no initial values, so what is absent stays absent', async () => {
    const stock = new (PartialType(User))();
    expect(Object.keys(stock)).toContain('level');
    expect(Object.keys(new UpdateUser())).toEqual([]);
  });
});
