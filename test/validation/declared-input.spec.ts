import {
  Body,
  Controller,
  createParamDecorator,
  DefaultValuePipe,
  type ExecutionContext,
  Get,
  Param,
  ParseArrayPipe,
  ParseIntPipe,
  type PipeTransform,
  Post,
  Query,
  Req,
  UsePipes,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  Allow,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Validate,
  ValidateNested,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import {
  arrayOf,
  CurrentPrincipal,
  Public,
  type SecurityConfigurationError,
  StrictValidationPipe,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class Item {
  @IsInt()
  amount!: number;
}

class Empty {
  name?: string;
}

class Tree {
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Tree)
  children?: Tree[];
}

class Unknown implements ValidatorConstraintInterface {
  validate(): boolean {
    return false;
  }
}

@ValidatorConstraint()
class Known extends Unknown {}

type Branded = string & { readonly brand: unique symbol };
class SchemaPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}

afterEach(closeApps);

async function problemsOf(controller: new () => unknown): Promise<readonly string[]> {
  const error: unknown = await startSecured('express', {}, { controllers: [controller] }).catch(
    (e: unknown) => e,
  );
  const problems = (error as Partial<SecurityConfigurationError>).problems ?? [];
  return problems.map(({ code, where }) => `${code} ${where.slice(where.indexOf('parameter'))}`);
}

describe('inputs at boot', () => {
  it('R-IV-10 V2 whole inputs of a type that is gone are refused, each by its place', async () => {
    @Controller('a')
    class Erased {
      @Post('1')
      a(@Param('id') id: string, @Body() body: Record<string, unknown>): unknown[] {
        return [id, body];
      }

      @Get('2')
      b(@Query() query: { q: string }): unknown {
        return query;
      }

      @Get('3/:id')
      c(@Param() params: { id: string }): unknown {
        return params;
      }

      @Post('4')
      d(@Body() body: Item[]): unknown {
        return body;
      }

      @Get('5')
      e(@Query('id') id: string[]): unknown {
        return id;
      }

      @Post('6')
      f(@Body('item') item: Item | string): unknown {
        return item;
      }
    }
    expect(await problemsOf(Erased)).toEqual([
      'validation.undeclared parameter 2 (body)',
      'validation.undeclared parameter 1 (query)',
      'validation.undeclared parameter 1 (path)',
      'validation.undeclared parameter 1 (body)',
      'validation.undeclared parameter 1 (query)',
      'validation.undeclared parameter 1 (body)',
    ]);
  });

  it('R-IV-10 V4 classes are looked into', async () => {
    class Broken {
      @IsObject()
      item!: Item;

      @ValidateNested()
      loose!: object;

      @IsArray()
      list!: Item[];

      @ValidateNested({ each: true })
      @Type(() => Item)
      set!: Set<Item>;

      @ValidateNested()
      @Type(() => Tree)
      tree!: Tree;

      @ValidateNested()
      @Type(() => Empty)
      empty!: Empty;

      @IsArray()
      @IsString({ each: true })
      words!: string[];

      @Allow()
      anything!: unknown[];

      @IsObject()
      bag!: Record<string, unknown>;

      @Validate(Unknown)
      unasked!: string;

      @Validate(Known)
      asked!: string;
    }
    @Controller('b')
    class Graphs {
      @Post('1')
      a(@Body() body: Broken): unknown {
        return body;
      }

      @Get('2')
      b(@Query() query: Tree): unknown {
        return query;
      }

      @Post('3')
      c(@Body() body: Empty): unknown {
        return body;
      }
    }
    expect(await problemsOf(Graphs)).toEqual([
      'validation.nested.unvalidated parameter 1 (body): Broken.item',
      'validation.nested.type parameter 1 (body): Broken.loose',
      'validation.items parameter 1 (body): Broken.list',
      'validation.nested.collection parameter 1 (body): Broken.set',
      'validation.no-rules parameter 1 (body)',
      'validation.constraint parameter 1 (body): Broken.unasked',
      'validation.nested.text parameter 1 (query): Tree.children',
      'validation.no-rules parameter 1 (body)',
    ]);
  });

  it('R-IV-10 what has rules, a type, or a pipe of its own is declared', async () => {
    @Controller('c')
    class Declared {
      @Post('1/:id')
      a(@Body() body: Tree, @Query() query: Item, @Param('id') id: Branded): unknown[] {
        return [body, query, id];
      }

      @Post('2')
      b(@Body(arrayOf(Item)) body: Item[], @Query('id', arrayOf(Number)) id: number[]): unknown[] {
        return [body, id];
      }

      @Post('3')
      c(@Body(new ParseArrayPipe({ items: Item })) body: Item[]): unknown {
        return body;
      }

      @Post('4')
      d(@Body(new StrictValidationPipe({ expectedType: Item })) body: unknown): unknown {
        return body;
      }

      @Post('5')
      @UsePipes(SchemaPipe)
      e(@Body() body: { any: string }): unknown {
        return body;
      }

      @Post('6')
      f(
        @Body() body: string,
        @Query('page', ParseIntPipe) page: number,
        @Query('on') on: boolean,
      ): unknown[] {
        return [body, page, on];
      }

      @Get('7')
      g(@Req() request: object): boolean {
        return Boolean(request);
      }
    }
    expect(await problemsOf(Declared)).toEqual([]);
  });

  it('R-IV-10 a pipe that needs a class and has none declares nothing; the classes of pipes are looked into too', async () => {
    @Controller('d')
    class Half {
      @Post('1')
      a(@Body(ParseArrayPipe) body: Item[]): unknown {
        return body;
      }

      @Post('2')
      b(@Body(new StrictValidationPipe()) body: object): unknown {
        return body;
      }

      @Post('3')
      c(@Body(new DefaultValuePipe({})) body: object): unknown {
        return body;
      }

      @Post('4')
      d(@Body(arrayOf(Empty)) body: Empty[]): unknown {
        return body;
      }

      @Post('5')
      e(@Body(new ParseArrayPipe()) body: Item[]): unknown {
        return body;
      }
    }
    expect(await problemsOf(Half)).toEqual([
      'validation.undeclared parameter 1 (body)',
      'validation.undeclared parameter 1 (body)',
      'validation.undeclared parameter 1 (body)',
      'validation.no-rules parameter 1 (body)',
      'validation.undeclared parameter 1 (body)',
    ]);
  });

  it('R-IV-10 undeclared: "warn" starts the application, and the handler gets the value as it came', async () => {
    @Public()
    @Controller('e')
    class Loose {
      @Post()
      a(@Body() body: unknown): unknown {
        return body;
      }
    }
    const { port } = await startSecured(
      'fastify',
      { validation: { undeclared: 'warn' } },
      { controllers: [Loose] },
    );
    const answer = await send(port, 'POST', '/e', { json: { anything: [1] } });
    expect([answer.status, answer.json]).toEqual([201, { anything: [1] }]);
  });

  it('R-IV-11 query parameters that a handler takes by name are the only ones, unless something else may read them', async () => {
    const Paging = createParamDecorator((_: unknown, context: ExecutionContext) => {
      return context.switchToHttp().getRequest<{ query: { size?: string } }>().query.size;
    });
    @Public()
    @Controller('f')
    class Named {
      @Get('one')
      one(@Query('page') page: number, @CurrentPrincipal() principal: unknown): unknown[] {
        return [page, principal ?? 'nobody'];
      }

      @Get('two')
      two(@Query('page') page: number, @Paging() size: string): unknown[] {
        return [page, size];
      }
    }
    const { port } = await startSecured('express', {}, { controllers: [Named] });
    expect((await send(port, 'GET', '/f/one?page=2')).json).toEqual([2, 'nobody']);
    const answer = await send<ErrorEnvelope>(port, 'GET', '/f/one?page=2&evil=1');
    expect([answer.status, answer.json.error.code]).toEqual([400, 'UNEXPECTED_FIELDS']);
    expect((await send(port, 'GET', '/f/two?page=2&size=9')).json).toEqual([2, '9']);
  });

  it('R-IV-10 R-IV-11 a handler that declares no query takes none, unless something else may read it', async () => {
    @Public()
    @Controller('g')
    class Plain {
      @Get('none/:id')
      none(@Param('id') id: string, @CurrentPrincipal() principal: unknown): unknown[] {
        return [id, principal ?? 'nobody'];
      }

      @Post('none')
      write(): unknown[] {
        return [];
      }

      @Get('whole')
      whole(@Req() request: { query: { size?: string } }): unknown[] {
        return [request.query.size];
      }
    }
    const { port } = await startSecured('express', {}, { controllers: [Plain] });
    expect((await send(port, 'GET', '/g/none/a')).json).toEqual(['a', 'nobody']);
    expect((await send(port, 'GET', '/g/none/a?')).json).toEqual(['a', 'nobody']);
    for (const [method, path] of [
      ['GET', '/g/none/a?evil=1'],
      ['HEAD', '/g/none/a?evil=1'],
      ['POST', '/g/none?evil=1'],
    ] as const) {
      expect((await send(port, method, path)).status).toBe(400);
    }
    const answer = await send<ErrorEnvelope>(port, 'GET', '/g/none/a?evil=1');
    expect(answer.json.error).toMatchObject({
      code: 'UNEXPECTED_FIELDS',
      details: [{ path: 'evil', rule: 'whitelist' }],
    });
    expect((await send(port, 'GET', '/g/whole?size=9')).json).toEqual(['9']);
    const migrating = await startSecured(
      'express',
      { validation: { undeclared: 'warn' } },
      { controllers: [Plain] },
    );
    expect((await send(migrating.port, 'GET', '/g/none/a?utm=1')).status).toBe(200);
  });
});

describe('options', () => {
  it.each([
    [{ undeclared: 'ignore' }, 'validation.undeclared'],
    [{ maxDetails: 0 }, 'validation.max-details'],
    [{ maxDetails: 101 }, 'validation.max-details'],
    [{ maxDetails: '20' }, 'validation.max-details'],
    [{ status: 500 }, 'validation.status'],
    [{ whitelist: true }, 'validation.unknown'],
  ])('%j is reported at boot', async (validation, code) => {
    const error: unknown = await startSecured('express', { validation: validation as never }, {}).catch(
      (e: unknown) => e,
    );
    expect((error as Partial<SecurityConfigurationError>).problems?.map((one) => one.code)).toEqual([code]);
  });
});
