import { Body, Controller, Post, Query } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import {
  getMetadataStorage,
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { IsNullable, Public, type SecurityConfigurationError } from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { ADAPTERS, closeApps } from '../../support/bare-app.js';
import { send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';

class City {
  @IsString()
  @Length(1, 8)
  name!: string;

  @IsOptional()
  @IsNullable()
  @IsIn(['DE', 'FR'], { message: '$property is one of $constraint1' })
  country?: string | null;
}

class Trip {
  @IsEmail()
  @Transform(({ value }) => (value as string).trim())
  traveller!: string;

  @IsInt()
  @Min(1)
  days!: number;

  @ValidateBy({ name: 'isFree', validator: { validate: (value) => Promise.resolve(value !== 'taken') } })
  @IsString()
  seat!: string;

  @ValidateNested({ each: true })
  @Type(() => City)
  cities!: City[];
}

class Paging {
  @IsInt()
  @Min(1)
  page = 1;
}

@Controller('trips')
@Public()
class TripsController {
  @Post()
  create(@Body() trip: Trip, @Query() { page }: Paging): unknown {
    return { trip, page, kinds: [trip instanceof Trip, ...trip.cities.map((city) => city instanceof City)] };
  }
}

const TRIP = { traveller: ' ada@example.com ', days: 2, seat: 'A1', cities: [{ name: 'Kiel' }] };
const BODIES: readonly (readonly [status: number, query: string, body: unknown])[] = [
  [201, '', TRIP],
  [201, '?page=3', TRIP],
  [
    201,
    '',
    {
      ...TRIP,
      cities: [
        { name: 'Kiel', country: null },
        { name: 'Nice', country: 'FR' },
      ],
    },
  ],
  [400, '', { ...TRIP, traveller: 'ada' }],
  [400, '', { ...TRIP, traveller: 5 }],
  [400, '', { ...TRIP, seat: 'taken' }],
  [400, '', { ...TRIP, seat: 'taken', days: 0, cities: [{ name: '' }, { name: 'Nice', country: 'XX' }] }],
  [400, '', { ...TRIP, days: '2' }],
  [400, '', { ...TRIP, days: null }],
  [400, '', { ...TRIP, cities: {} }],
  [400, '', { ...TRIP, cities: [5, { name: 'Kiel', evil: true }] }],
  [400, '', { ...TRIP, evil: true }],
  [400, '', {}],
  [400, '?page=0', TRIP],
];

afterEach(closeApps);

describe.each(ADAPTERS)('validation: { compiled }, on %s', (adapter) => {
  let ports: readonly number[];

  beforeEach(async () => {
    const started = [true, false, undefined].map((compiled) =>
      startSecured(
        adapter,
        { validation: compiled === undefined ? {} : { compiled } },
        { controllers: [TripsController] },
      ),
    );
    ports = (await Promise.all(started)).map(({ port }) => port);
  });

  it.each(BODIES)('R-IV-10 R-IV-29 is %i for POST %s %j with and without', async (status, query, json) => {
    const answers = await Promise.all(ports.map((port) => send(port, 'POST', `/trips${query}`, { json })));
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
    expect(answers[0]?.json).toEqual(answers[1]?.json);
    expect(answers[2]?.json).toEqual(answers[0]?.json);
  });

  it('R-IV-10 delivers instances of the classes', async () => {
    const { json } = await send(ports[0]!, 'POST', '/trips', { json: TRIP });
    expect(json).toEqual({ trip: { ...TRIP, traveller: 'ada@example.com' }, page: 1, kinds: [true, true] });
  });

  it('R-IV-10 asks class-validator for its rules on a request only without', async () => {
    const search = vi.spyOn(getMetadataStorage(), 'getTargetValidationMetadatas');
    onTestFinished(() => search.mockRestore());
    const searches: number[] = [];
    for (const port of ports) {
      for (const json of [TRIP, { ...TRIP, days: 0 }]) await send(port, 'POST', '/trips', { json });
      searches.push(search.mock.calls.length);
      search.mockClear();
    }
    expect(searches).toEqual([0, expect.toSatisfy((count: number) => count >= 4), 0]);
  });

  it('R-IV-28 lists all that is broken in the order of the declaration', async () => {
    const json = { ...TRIP, seat: 'taken', days: 0, cities: [{ name: '' }, { name: 'Nice', country: 'XX' }] };
    expect((await send(ports[0]!, 'POST', '/trips', { json })).json).toEqual({
      error: {
        code: 'VALIDATION_FAILED',
        message: 'Validation failed',
        details: [
          { path: 'days', rule: 'min', message: 'days must not be less than 1' },
          { path: 'seat', rule: 'isFree', message: 'seat does not keep the rule isFree' },
          {
            path: 'cities[0].name',
            rule: 'isLength',
            message: 'name must be longer than or equal to 1 characters',
          },
          { path: 'cities[1].country', rule: 'isIn', message: 'country is one of DE, FR' },
        ],
      },
    });
  });

  it.each(['yes', 1, null])('R-CF-01 compiled: %j does not start', async (compiled) => {
    const error: unknown = await startSecured(
      adapter,
      { validation: { compiled: compiled as never } },
      { controllers: [TripsController] },
    ).catch((reason: unknown) => reason);
    expect((error as SecurityConfigurationError).problems.map(({ code }) => code)).toEqual([
      'validation.compiled',
    ]);
  });
});
