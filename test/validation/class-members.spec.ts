import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { Expose, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsEnum,
  IsInt,
  IsOptional,
  IsString,
  Length,
  registerDecorator,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { arrayOf, PageQuery, Public, ValidationGroups } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

enum Level {
  Low = -1,
  None,
  High,
}
enum Mixed {
  Name = 'name',
  One = 1,
}

/** A class with state of its own, in all ways in which TypeScript knows it. */
class Account {
  @IsString()
  @Length(1, 5)
  get name(): string {
    return this.kept;
  }

  set name(name: string) {
    this.kept = name;
  }

  isAdmin = false;
  undecorated?: string;
  private kept = '';
  #secret = 1;

  reveal(): number {
    return this.#secret;
  }
}

class Household {
  @ValidateNested()
  @Type(() => Account)
  owner!: Account;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Account)
  others?: Account[];
}

/** What an application makes itself is not what came in: nothing tells which of its fields are its own. */
class Imported {
  @Transform(({ value }: { value: object }) => Object.assign(new Account(), value))
  @Type(() => Account)
  @ValidateNested()
  account!: Account;
}

class Cell {
  @IsInt()
  value!: number;
}

class Grid {
  @IsArray()
  @IsArray({ each: true })
  @ArrayMaxSize(3)
  @ArrayMaxSize(2, { each: true })
  @ValidateNested({ each: true })
  @Type(() => Cell)
  rows!: Cell[][];
}

class Row {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Cell)
  cells!: Cell[];
}

class Exposed {
  @IsString()
  name!: string;

  @IsOptional()
  @Expose({ groups: ['admin'] })
  @IsString()
  role?: string;
}

class Levels {
  @IsOptional()
  @IsEnum(Level, { each: true })
  levels?: Level[];

  @IsOptional()
  @IsEnum(Mixed)
  mixed?: Mixed;
}

const unanswerable = (target: object, property: string): void =>
  registerDecorator({
    target: target.constructor,
    propertyName: property,
    name: 'unanswerable',
    validator: {
      validate: (value: unknown) => {
        if (value === 'down') throw new Error('no connection');
        if (value === 'later') return Promise.reject(new RangeError('Invalid time value'));
        return true;
      },
    },
  });

class Conditional {
  @IsString()
  kind!: string;

  @ValidateIf(({ kind }: Conditional) => kind.startsWith('x'))
  @IsString()
  extra?: string;

  @IsOptional()
  @unanswerable
  check?: string;
}

/** Has a value before anything comes in, and a state that nothing may go around. */
class Preset {
  @IsInt()
  level = 5;

  @IsOptional()
  @IsString({ groups: ['admin'] })
  role?: string;

  state = 7;
  #secret = 1;

  sum(): number {
    return this.level + this.state + this.#secret;
  }
}

class Holder {
  @ValidateNested()
  @Type(() => Preset)
  preset!: Preset;
}

const PAGE = { filter: Preset };

@Controller('members')
@Public()
class Members {
  @Post('grouped')
  @ValidationGroups('self')
  grouped(@Body() preset: Preset): unknown {
    return [preset.sum(), preset instanceof Preset];
  }

  @Post('grouped-part')
  @ValidationGroups('self')
  groupedPart(@Body() { preset }: Holder): unknown {
    return preset.sum();
  }

  @Post('grouped-list')
  @ValidationGroups('self')
  groupedList(@Body(arrayOf(Preset)) presets: Preset[]): unknown {
    return presets.map((one) => one.sum());
  }

  @Post('grouped-account')
  @ValidationGroups('self')
  groupedAccount(@Body() account: Account): unknown {
    return [account.name, account.reveal()];
  }

  @Get('page')
  page(@PageQuery(PAGE) { filter }: { filter: Preset }): unknown {
    return filter.sum();
  }

  @Post('account')
  account(@Body() account: Account): unknown {
    return [account.name, account.isAdmin, account.reveal()];
  }

  @Get('account')
  find(@Query() account: Account): unknown {
    return [account.name, account.isAdmin];
  }

  @Post('household')
  household(@Body() { owner, others = [] }: Household): unknown {
    return [owner, ...others].map(({ name }) => name);
  }

  @Post('imported')
  imported(@Body() { account }: Imported): unknown {
    return account.name;
  }

  @Post('grid')
  grid(@Body() { rows }: Grid): unknown {
    return rows.flat().every((cell) => cell instanceof Cell);
  }

  @Post('row')
  row(@Body() { cells }: Row): unknown {
    return cells.length;
  }

  @Post('exposed')
  exposed(@Body() exposed: Exposed): unknown {
    return exposed;
  }

  @Get('levels')
  levels(@Query() levels: Levels): unknown {
    return levels;
  }

  @Post('conditional')
  conditional(@Body() { kind }: Conditional): unknown {
    return kind;
  }

  @Post('part')
  part(@Body('name') name: string, @Body('cell') cell?: Cell): unknown {
    return [name, cell?.value ?? null];
  }

  @Post('part-and-whole')
  partAndWhole(@Body('value') value: number, @Body() cell: Cell): unknown {
    return [value, cell.value];
  }
}

type Case = readonly [what: string, path: string, json: unknown, answer: unknown];

/** What is let through, and what of it arrives. */
const TAKEN: readonly Case[] = [
  ['R-IV-11 fields of the class itself', '/account', { name: 'Ada' }, ['Ada', false, 1]],
  [
    'R-IV-11 … in nested classes',
    '/household',
    { owner: { name: 'Ada' }, others: [{ name: 'Bob' }] },
    ['Ada', 'Bob'],
  ],
  ['R-IV-13 initial values in groups', '/grouped', {}, [13, true]],
  ['R-IV-13 … and others', '/grouped', { level: 1 }, [9, true]],
  ['R-IV-13 … in nested classes', '/grouped-part', { preset: {} }, 13],
  ['R-IV-13 … in lists', '/grouped-list', [{}, { level: 0 }], [13, 8]],
  ['R-IV-13 setters in groups', '/grouped-account', { name: 'Ada' }, ['Ada', 1]],
  ['R-IV-10 lists in a list', '/grid', { rows: [[{ value: 1 }, { value: 2 }], [], []] }, true],
  ['R-IV-10 what is not exposed to groups', '/exposed', { name: 'Ada' }, { name: 'Ada' }],
  ['R-IV-11 members taken one by one', '/part', { name: 'Ada', cell: { value: 1 } }, ['Ada', 1]],
  ['R-IV-11 a member beside the whole', '/part-and-whole', { value: 1 }, [1, 1]],
  ['R-IV-17 a condition that finds what it asks for', '/conditional', { kind: 'a' }, 'a'],
];

/** What is refused, and what is said of it. */
const REFUSED: readonly Case[] = [
  ['R-IV-13 no value in groups', '/grouped', { level: null }, ['level isInt']],
  ['R-IV-11 a field of the class itself in groups', '/grouped', { state: 1 }, ['state whitelist']],
  ['R-IV-11 a field of other groups', '/grouped', { role: 'admin' }, ['role whitelist']],
  ['R-IV-11 a field of the class itself', '/account', { name: 'Ada', isAdmin: true }, ['isAdmin whitelist']],
  ['R-IV-11 … without a value', '/account', { name: 'Ada', undecorated: 'x' }, ['undecorated whitelist']],
  ['R-IV-11 … behind a setter', '/account', { kept: 'Ada' }, ['kept whitelist']],
  ['R-IV-12 … beside a broken rule', '/account', { name: 'Adelheid' }, ['name isLength']],
  [
    'R-IV-11 … in nested classes',
    '/household',
    { owner: { name: 'Ada', isAdmin: true }, others: [{ name: 'Bob', kept: 'x' }] },
    ['owner.isAdmin whitelist', 'others[0].kept whitelist'],
  ],
  [
    'R-IV-12 … below a list',
    '/household',
    { owner: { name: 'Ada' }, others: [{ name: 'Bob' }, { name: '' }] },
    ['others[1].name isLength'],
  ],
  [
    'R-IV-11 … where the application made the object',
    '/imported',
    { account: { name: 'Ada', isAdmin: true } },
    ['account.isAdmin whitelist'],
  ],
  ['R-IV-04 more lists than the list may have', '/grid', { rows: [[], [], [], []] }, ['rows arrayMaxSize']],
  [
    'R-IV-04 more items than a list in it',
    '/grid',
    { rows: [[{ value: 1 }, { value: 2 }, { value: 3 }]] },
    ['rows arrayMaxSize'],
  ],
  ['R-IV-12 no list in a list', '/grid', { rows: [{ value: 1 }] }, ['rows arrayMaxSize', 'rows isArray']],
  ['R-IV-12 lists one deeper', '/grid', { rows: [[[{ value: 1 }]]] }, ['rows[0][0] isObject']],
  [
    'R-IV-11 in lists of lists',
    '/grid',
    { rows: [[], [{ value: 1, evil: 1 }]] },
    ['rows[1][0].evil whitelist'],
  ],
  [
    'R-IV-12 in lists of lists',
    '/grid',
    { rows: [[], [{ value: 1 }, { value: '1' }]] },
    ['rows[1][1].value isInt'],
  ],
  ['R-IV-12 a list where an item is declared', '/row', { cells: [[{ value: 1 }]] }, ['cells[0] isObject']],
  ['R-IV-11 what is exposed to groups', '/exposed', { name: 'Ada', role: 'admin' }, ['role whitelist']],
  [
    'R-IV-11 members beside those that are taken',
    '/part',
    { name: 'Ada', evil: 1, toString: 1 },
    ['evil whitelist', 'toString whitelist'],
  ],
  ['R-IV-12 no object to take members of', '/part', ['Ada'], [' isObject']],
  ['R-IV-12 … but text', '/part', 'Ada', [' isObject']],
  ['R-IV-12 … but null', '/part', null, [' isObject']],
  ['R-IV-28 a condition that throws over what is absent', '/conditional', {}, [' validate']],
  ['R-IV-28 … over what is of the wrong kind', '/conditional', { kind: 5 }, ['kind isString']],
  ['R-IV-28 a rule that fails later', '/conditional', { kind: 'a', check: 'later' }, [' validate']],
];

const OPTIONS = ADAPTERS.flatMap((adapter) => [true, false].map((compiled) => ({ adapter, compiled })));
const ports = new Map<string, number>();
const keyOf = (adapter: Adapter, compiled: boolean): string => `${adapter} ${compiled}`;

beforeAll(async () => {
  for (const { adapter, compiled } of OPTIONS) {
    const { port } = await startSecured(
      adapter,
      {
        rateLimit: { read: false, write: false, address: false },
        validation: { compiled, unbounded: 'allow' },
      },
      { controllers: [Members] },
    );
    ports.set(keyOf(adapter, compiled), port);
  }
});
afterAll(closeApps);

describe.each(OPTIONS)(
  'what classes say of their members: $adapter, compiled: $compiled',
  ({ adapter, compiled }) => {
    const ask = (method: string, path: string, json?: unknown) =>
      send<ErrorEnvelope>(ports.get(keyOf(adapter, compiled))!, method, `/members${path}`, { json });
    const broken = ({ error }: ErrorEnvelope) => error.details?.map(({ path, rule }) => `${path} ${rule}`);

    it.each(TAKEN)('%s are taken by %s', async (_, path, json, answer) => {
      const { status, text } = await ask('POST', path, json);
      expect([status, text]).toEqual([201, typeof answer === 'string' ? answer : JSON.stringify(answer)]);
    });

    it.each(REFUSED)('%s is refused by %s', async (_, path, json, details) => {
      const answer = await ask('POST', path, json);
      expect([answer.status, broken(answer.json)]).toEqual([400, details]);
    });

    it('R-IV-11 fields of the class itself do not come in by a query', async () => {
      expect(await ask('GET', '/account?name=Ada')).toMatchObject({ status: 200, json: ['Ada', false] });
      expect(broken((await ask('GET', '/account?name=Ada&isAdmin=true')).json)).toEqual([
        'isAdmin whitelist',
      ]);
    });

    it('R-IV-20 initial values in the filter of a page', async () => {
      expect((await ask('GET', '/page')).text).toBe('13');
      expect((await ask('GET', '/page?level=1')).text).toBe('9');
      expect(broken((await ask('GET', '/page?state=1')).json)).toEqual(['state whitelist']);
    });

    it('R-IV-14 members of numeric and mixed enums in a query', async () => {
      expect((await ask('GET', '/levels?levels=-1&levels=1')).json).toEqual({ levels: [-1, 1] });
      expect((await ask('GET', '/levels?levels=0&mixed=name')).json).toEqual({ levels: [0], mixed: 'name' });
      expect((await ask('GET', '/levels?mixed=1')).json).toEqual({ mixed: 1 });
      for (const query of ['levels=Low', 'levels=01', 'levels=2', 'mixed=One', 'mixed=01', 'mixed=toString'])
        expect((await ask('GET', `/levels?${query}`)).status).toBe(400);
    });

    it('R-IV-28 what fails for reasons of its own is no mistake of the client', async () => {
      expect((await ask('POST', '/conditional', { kind: 'a', check: 'down' })).status).toBe(500);
    });
  },
);
