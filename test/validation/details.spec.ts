import { Type } from 'class-transformer';
import {
  IsEmail,
  IsInstance,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  registerDecorator,
  ValidateNested,
} from 'class-validator';
import { StrictValidationPipe } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { bodyOf, json, strict, verdictOf } from './verdict.js';

const CANARY = 'canary-7f3a';

const Unfriendly = (): PropertyDecorator => (target, property) =>
  registerDecorator({
    name: 'unfriendly',
    target: target.constructor,
    propertyName: property as string,
    validator: {
      validate: (value) => value !== CANARY,
      defaultMessage: (args) => `${String(args?.value)} of ${args?.targetName ?? ''} ($value, $target)`,
    },
  });

class SecretPoint {
  @IsInt()
  x!: number;
}

class SecretLine {
  @IsString()
  @MaxLength(3, { message: '$value of $target is longer than $constraint1' })
  sku!: string;

  @Min(1)
  @Max(9)
  @IsInt()
  amount!: number;
}

class SecretOrder {
  @IsEmail({}, { message: ({ value }) => `no address: ${String(value)}` })
  email!: string;

  @Length(2, 5)
  @IsString()
  @Unfriendly()
  name!: string;

  @Matches(/^a/, { message: 'begins with a' })
  @Matches(/z$/, { message: 'ends with z' })
  code!: string;

  @ValidateNested({ each: true })
  @Type(() => SecretLine)
  lines!: SecretLine[];

  @ValidateNested()
  @IsInstance(SecretPoint)
  @Type(() => SecretPoint)
  point!: SecretPoint;

  @IsInt({ each: true })
  numbers!: number[];
}

const body = bodyOf(SecretOrder);
const bad = (): unknown => ({
  numbers: [1, 'two', CANARY],
  lines: [
    { sku: 'ok', amount: 1 },
    { amount: 50, sku: CANARY },
    { amount: 'x', sku: 'ab' },
  ],
  name: CANARY,
  email: CANARY,
  code: 'b',
  point: 5,
});

describe('R-IV-28 details', () => {
  it('R-IV-28 come in the order of declaration, rules of one place by name', async () => {
    const { broken } = await verdictOf(strict, bad(), body);
    expect(broken).toEqual([
      'email isEmail',
      'name isLength',
      'name unfriendly',
      'code matches',
      'lines[1].sku maxLength',
      'lines[1].amount max',
      'lines[2].amount isInt',
      'lines[2].amount max',
      'lines[2].amount min',
      'point isObject',
      'numbers[1] isInt',
      'numbers[2] isInt',
    ]);
  });

  it('R-IV-28 are the same whatever the order of the request', async () => {
    const entries = Object.entries(bad() as object);
    const first = await verdictOf(strict, Object.fromEntries(entries), body);
    const last = await verdictOf(strict, Object.fromEntries(entries.toReversed()), body);
    expect(last.details).toEqual(first.details);
  });

  it('R-IV-28 hold neither values nor names of classes', async () => {
    for (const input of [
      bad(),
      { ...(bad() as object), lines: [{ sku: CANARY, amount: 50 }], point: { x: CANARY }, numbers: [] },
    ]) {
      const { details } = await verdictOf(strict, input, body);
      const text = JSON.stringify(details);
      expect(details.length).toBeGreaterThan(4);
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain('Secret');
    }
  });

  it('R-IV-28 keep the words of the application, whichever of two rules of one name is broken', async () => {
    const messages = async (code: string): Promise<string[]> =>
      (await verdictOf(strict, { ...(bad() as object), code }, body)).details
        .filter(({ path }) => path === 'code')
        .map(({ message }) => message);
    expect(await messages('ab')).toEqual(['ends with z']);
    expect(await messages('bz')).toEqual(['begins with a']);
  });

  it('R-IV-28 name unknown fields by 64 harmless characters and nothing else', async () => {
    const name = `<script>\u202e"${CANARY}`.padEnd(5_000, 'x');
    const { details } = await verdictOf(strict, { [name]: CANARY }, body);
    expect(details.map(({ rule }) => rule)).toEqual(['whitelist']);
    expect(details[0]?.path).toMatch(/^[\w.?-]{64}$/);
    expect(details[0]?.message).not.toContain(CANARY);
  });

  it('R-IV-28 are 20 at most, or as many as the options say', async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, 1]));
    expect((await verdictOf(strict, many, body)).details).toHaveLength(20);
    const lines = Array.from({ length: 1_000 }, () => ({ sku: 5, amount: 'x' }));
    expect((await verdictOf(strict, { lines }, body)).details).toHaveLength(20);
    expect(
      (await verdictOf(new StrictValidationPipe({ maxDetails: 3 }), { lines }, body)).details,
    ).toHaveLength(3);
  });

  it('R-IV-28 unknown fields are told alone', async () => {
    expect(await verdictOf(strict, { ...(bad() as object), evil: 1 }, body)).toMatchObject({
      code: 'UNEXPECTED_FIELDS',
      broken: ['evil whitelist'],
    });
  });

  it('a field of the wrong type does not hide what is wrong with the others', async () => {
    const { broken } = await verdictOf(
      strict,
      { email: 5, name: 'x', code: 'az', lines: 'none', point: { x: 1.5 }, numbers: [] },
      body,
    );
    expect(broken).toEqual(['email isEmail', 'name isLength', 'lines isArray', 'point.x isInt']);
  });

  it('CONTRACT-2 are 400, or 422 where the options say so', async () => {
    const pipe = new StrictValidationPipe({ status: 422 });
    for (const input of [{ evil: 1 }, {}]) {
      expect((await verdictOf(strict, input, body)).status).toBe(400);
      expect((await verdictOf(pipe, input, body)).status).toBe(422);
    }
    expect((await verdictOf(pipe, undefined, body)).status).toBe(400);
  });

  it('CONTRACT-2 a pipe that serves two requests at once does not mix them up', async () => {
    const verdicts = await Promise.all([
      verdictOf(strict, bad(), body),
      verdictOf(strict, json('{"x":"1"}'), bodyOf(SecretPoint)),
      verdictOf(strict, bad(), body),
    ]);
    expect(verdicts[0]?.broken).toEqual(verdicts[2]?.broken);
    expect(verdicts[1]?.broken).toEqual(['x isInt']);
  });
});
