import { Body, Controller, Post } from '@nestjs/common';
import { Type } from 'class-transformer';
import { Equals, IsEnum, IsIn, IsInt, IsString, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { arrayOf, oneOf, Public, type SecurityConfigurationError } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { ADAPTERS } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { bodyOf, strict, verdictOf } from './verdict.js';

enum Fish {
  Cod,
  Tuna,
}

class Cat {
  @IsIn(['cat', 'lion'])
  kind!: 'cat' | 'lion';

  @IsInt()
  @Min(0)
  @Max(9)
  lives!: number;
}

class Dog {
  @Equals('dog')
  kind!: 'dog';

  @IsString()
  @MaxLength(10)
  name!: string;
}

class Swimmer {
  @IsEnum(Fish)
  kind!: Fish;
}

class Nameless {
  @IsString()
  kind!: string;
}

class Household {
  @ValidateNested({ each: true })
  @Type(() => Object, {
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'cat', value: Cat },
        { name: 'dog', value: Dog },
      ],
    },
    keepDiscriminatorProperty: true,
  })
  pets!: (Cat | Dog)[];
}

@Controller()
@Public()
class PetsController {
  @Post('pet')
  pet(@Body(oneOf([Cat, Dog, Swimmer], 'kind')) pet: Cat | Dog | Swimmer): unknown {
    return { pet, of: pet.constructor.name };
  }

  @Post('pets')
  pets(@Body(arrayOf(oneOf([Cat, Dog], 'kind'), { maxItems: 2 })) pets: (Cat | Dog)[]): unknown {
    return pets.map((pet) => pet.constructor.name);
  }

  @Post('member')
  member(@Body('pet', oneOf([Cat, Dog], 'kind')) pet: Cat | Dog): unknown {
    return pet;
  }

  @Post('household')
  household(@Body() { pets }: Household): unknown {
    return pets.map((pet) => pet.constructor.name);
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('one of several classes on %s', (adapter) => {
  it('R-IV-10 is told by a property, alone, in a list, in a member, and nested', async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [PetsController] });
    const post = async (path: string, json: unknown) => {
      const answer = await send<ErrorEnvelope>(port, 'POST', path, { json });
      const broken = answer.json.error?.details?.map(({ path: at, rule }) => `${at} ${rule}`);
      return { status: answer.status, json: answer.json as unknown, broken, code: answer.json.error?.code };
    };
    const cat = { kind: 'cat', lives: 9 };
    const dog = { kind: 'dog', name: 'Rex' };
    expect((await post('/pet', cat)).json).toEqual({ pet: cat, of: 'Cat' });
    expect((await post('/pet', { ...cat, kind: 'lion' })).json).toMatchObject({ of: 'Cat' });
    expect((await post('/pet', { kind: 1 })).json).toMatchObject({ of: 'Swimmer' });
    expect((await post('/pets', [cat, dog])).json).toEqual(['Cat', 'Dog']);
    expect((await post('/member', { pet: dog })).json).toEqual(dog);
    expect((await post('/household', { pets: [cat, dog] })).json).toEqual(['Cat', 'Dog']);

    const refusals: [string, unknown, string[]][] = [
      ['/pet', { kind: 'bird' }, ['kind discriminator']],
      ['/pet', { kind: 'Tuna' }, ['kind discriminator']],
      ['/pet', { kind: ['cat'], lives: 1 }, ['kind discriminator']],
      ['/pet', { kind: null }, ['kind discriminator']],
      ['/pet', {}, ['kind discriminator']],
      ['/pet', [cat], [' isObject']],
      ['/pet', 'cat', [' isObject']],
      ['/pet', { ...cat, name: 'Rex' }, ['name whitelist']],
      ['/pet', { ...dog, lives: 9 }, ['lives whitelist']],
      ['/pet', { kind: 'dog', name: 5 }, ['name isString', 'name maxLength']],
      ['/pets', [dog, { kind: 'x' }], ['[1].kind discriminator']],
      ['/pets', [dog, { ...cat, evil: 1 }], ['[1].evil whitelist']],
      ['/pets', [dog, dog, dog], [' arrayMaxSize']],
      ['/member', { pet: { kind: 'x' } }, ['pet.kind discriminator']],
      ['/household', { pets: [{ kind: 'x' }] }, ['pets[0] discriminator']],
      ['/household', { pets: [{ ...dog, lives: 1 }] }, ['pets[0].lives whitelist']],
    ];
    for (const [path, json, broken] of refusals)
      expect(await post(path, json), `${path} ${JSON.stringify(json)}`).toMatchObject({
        status: 400,
        broken,
      });
    expect((await post('/pet', undefined)).code).toBe('MALFORMED_REQUEST');
  });
});

describe('unions that cannot be told apart', () => {
  it('R-IV-10 are refused at boot, with the fix', async () => {
    @Controller()
    class Confused {
      @Post('a')
      a(@Body(oneOf([Cat, Nameless], 'kind')) pet: Cat | Nameless): unknown {
        return pet;
      }

      @Post('b')
      b(@Body(arrayOf(oneOf([Cat, Cat, Dog], 'lives'))) pets: (Cat | Dog)[]): unknown {
        return pets;
      }

      @Post('c')
      c(@Body(oneOf([Dog, class Wolf extends Dog {}], 'kind')) pet: Dog): unknown {
        return pet;
      }
    }
    const error: unknown = await startSecured('express', {}, { controllers: [Confused] }).catch(
      (e: unknown) => e,
    );
    const problems = (error as SecurityConfigurationError).problems.map(
      ({ code, problem }) => `${code} ${problem}`,
    );
    expect(problems).toEqual([
      'validation.union Nameless does not say which values of kind are its own',
      'validation.union Cat does not say which values of lives are its own',
      'validation.union Dog and Wolf share the value dog of kind',
    ]);
  });

  it('R-IV-06 no name of JavaScript is a value', async () => {
    const pipe = oneOf([Cat, Dog], 'kind');
    for (const kind of ['toString', '__proto__', 'constructor', 0, undefined])
      expect((await verdictOf(pipe, { kind }, bodyOf(Object))).broken).toEqual(['kind discriminator']);
    expect((await verdictOf(strict, { pets: [{ kind: 'toString' }] }, bodyOf(Household))).broken).toEqual([
      'pets[0] discriminator',
    ]);
  });
});
