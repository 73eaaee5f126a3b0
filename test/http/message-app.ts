import { All, Body, Controller, Get, Param, Post, Query, type RawBodyRequest, Req } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { arrayOf, BodyLimit, Public } from 'nestjs-api-security';

import type { Adapter, RunningApp } from '../support/app.js';
import { startSecured } from '../support/secured-app.js';

export class Line {
  @IsString()
  @MaxLength(40)
  sku!: string;
}

export class Order {
  @IsInt()
  @Min(0)
  @Max(1_000)
  amount!: number;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  note?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10)
  @ValidateNested({ each: true })
  @Type(() => Line)
  lines?: Line[];
}

export class Search {
  @IsOptional()
  @IsString()
  @MaxLength(50)
  q?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10)
  page?: number;

  @IsOptional()
  @IsString({ each: true })
  @ArrayMaxSize(3)
  tags?: string[];
}

@Controller()
@Public()
class MessageController {
  @Post('orders')
  create(@Body() order: Order): unknown {
    return order;
  }

  @Post('lists')
  list(@Body(arrayOf(Line, { maxItems: 3 })) lines: Line[]): unknown {
    return lines;
  }

  @Post('forms')
  @BodyLimit('1kb', { types: ['application/x-www-form-urlencoded'] })
  form(@Body() form: Line): unknown {
    return form;
  }

  @Post('small')
  @BodyLimit(64)
  small(@Body() line: Line): unknown {
    return line;
  }

  @Post('nothing')
  nothing(): string {
    return 'nothing';
  }

  @Get('search')
  search(@Query() search: Search): unknown {
    return search;
  }

  @Get('named')
  named(@Query('q') q: string): unknown {
    return { q };
  }

  @Get('no-query')
  noQuery(): string {
    return 'no query';
  }

  @Get('whole')
  whole(@Req() request: RawBodyRequest<{ body?: unknown }>): unknown {
    return { body: request.body ?? null };
  }

  @Get('things/:id')
  thing(@Param('id') id: string): unknown {
    return { id, length: id.length };
  }

  @All('any')
  any(): string {
    return 'any';
  }
}

/** Routes for hostile messages; no limits, so that thousands can be sent. */
export function startMessageApp(
  adapter: Adapter,
  encodings: readonly ('gzip' | 'br')[] = [],
): Promise<RunningApp> {
  return startSecured(
    adapter,
    { rateLimit: { read: false, write: false, address: false }, body: { encodings } },
    { controllers: [MessageController] },
  );
}
