import { Body, Controller, Post } from '@nestjs/common';
import { ApiBody, ApiProperty, ApiSchema, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Equals, IsIn, IsInt, Max, Min } from 'class-validator';
import { arrayOf, oneOf, Public, ValidationGroups } from 'nestjs-api-security';
import { applySecurityToDocument } from 'nestjs-api-security/openapi';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter, closeApps } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class CardDto {
  @ApiProperty()
  @Equals('card')
  method!: 'card';

  @ApiProperty()
  @IsInt()
  @Min(1)
  @Max(9)
  cents!: number;
}

@ApiSchema({ name: 'Transfer' })
class TransferDto {
  @ApiProperty()
  @IsIn(['sepa', 'swift'])
  method!: 'sepa' | 'swift';
}

const payment = oneOf([CardDto, TransferDto], 'method');

@Controller('payments')
@Public()
class PaymentsController {
  @Post('one')
  one(@Body(payment) body: CardDto | TransferDto): unknown {
    return body;
  }

  @Post('some')
  some(@Body(arrayOf(payment, { maxItems: 5 })) body: unknown[]): unknown {
    return body;
  }

  @Post('cards')
  cards(@Body(arrayOf(CardDto)) body: CardDto[]): unknown {
    return body;
  }

  @Post('grouped')
  @ValidationGroups('till')
  grouped(@Body(arrayOf(CardDto)) body: CardDto[]): unknown {
    return body;
  }

  @Post('days')
  days(@Body(arrayOf(Date)) body: Date[]): unknown {
    return body;
  }

  @Post('own')
  @ApiBody({ schema: { type: 'object', description: 'own words' } })
  own(@Body(payment) body: unknown): unknown {
    return body;
  }

  @Post('part')
  part(@Body('cards', arrayOf(CardDto)) body: CardDto[]): unknown {
    return body;
  }
}

const reference = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const UNION = {
  oneOf: [reference('CardDto'), reference('Transfer')],
  discriminator: {
    propertyName: 'method',
    mapping: {
      card: '#/components/schemas/CardDto',
      sepa: '#/components/schemas/Transfer',
      swift: '#/components/schemas/Transfer',
    },
  },
};

interface Documented {
  readonly bodies: Readonly<Record<string, unknown>>;
  readonly schemas: Readonly<Record<string, unknown>>;
}

async function documented(adapter: Adapter): Promise<Documented & { readonly port: number }> {
  const { app, port } = await startSecured(adapter, {}, { controllers: [PaymentsController] });
  const plain = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  const { paths, components } = applySecurityToDocument(app, plain);
  const bodies = Object.entries(paths).map(([path, { post }]) => {
    const body = post?.requestBody;
    return [path.slice('/payments/'.length), body && 'content' in body ? body.content : undefined];
  });
  return {
    bodies: Object.fromEntries(bodies) as object as Documented['bodies'],
    schemas: components?.schemas ?? {},
    port,
  };
}

const json = (schema: object): object => ({ 'application/json': { schema } });

afterEach(closeApps);

describe.each(ADAPTERS)('the document of bodies, on %s', (adapter) => {
  it('R-IV-10 says what oneOf() and arrayOf() take, and what a handler says of its own', async () => {
    const { bodies, port } = await documented(adapter);
    expect(bodies).toMatchObject({
      one: json(UNION),
      some: json({ type: 'array', items: UNION, maxItems: 5 }),
      cards: json({ type: 'array', items: reference('CardDto'), maxItems: 1_000 }),
      grouped: json({ type: 'array', items: reference('CardDtoTill'), maxItems: 1_000 }),
      days: json({ type: 'array', items: { type: 'string', format: 'date-time' }, maxItems: 1_000 }),
      own: json({ type: 'object', description: 'own words' }),
    });
    expect((await send(port, 'POST', '/payments/one', { json: { method: 'swift' } })).status).toBe(201);
  });

  it('R-IV-11 has the schemas of all classes, closed', async () => {
    const { schemas } = await documented(adapter);
    for (const name of ['CardDto', 'Transfer', 'CardDtoTill'])
      expect([name, schemas[name]]).toMatchObject([
        name,
        { additionalProperties: false, properties: { method: { type: 'string' } } },
      ]);
  });

  it('R-IV-10 says it once, however often the application is started', async () => {
    const [first, second] = [await documented(adapter), await documented(adapter)];
    expect(second.bodies).toEqual(first.bodies);
  });
});
