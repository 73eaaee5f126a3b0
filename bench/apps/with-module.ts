import { createPublicKey, createSecretKey } from 'node:crypto';

import { Body, Controller, Get, Post, type INestApplication, type Type } from '@nestjs/common';
import {
  ApiKeyAuth,
  ApiKeyService,
  JwtAuth,
  SecurityModule,
  type SecurityOptions,
} from 'nestjs-api-security';

import type { Contestant, Credentials } from './contestant.js';
import { CreateOrderDto } from './order.dto.js';

const NEVER_REACHED = '1000000000/minute';

/** The options that are the same for all contestants with this module: two limits count, as in the hand-made stack. */
const COMMON: SecurityOptions = {
  https: 'off',
  logger: false,
  rateLimit: { read: NEVER_REACHED, write: NEVER_REACHED, address: NEVER_REACHED },
};

export function withModule(kind: 'api-key' | 'jwt', credentials: Credentials): Contestant {
  return {
    metadata: {
      imports: [SecurityModule.forRoot({ ...COMMON, ...schemeOptions(kind, credentials) })],
      controllers: [createGuardedController(kind)],
    },
    ...(kind === 'api-key' && { issueKey }),
  };
}

async function issueKey(app: INestApplication): Promise<string> {
  const scopes = ['orders:read', 'orders:write'];
  const { key } = await app.get(ApiKeyService).issue({ owner: 'bench', name: 'bench', scopes });
  return key;
}

function schemeOptions(kind: 'api-key' | 'jwt', credentials: Credentials): SecurityOptions {
  if (kind === 'api-key') return { apiKeys: {} };
  const { issuer, audience, algorithm, verificationKey } = credentials;
  const key =
    algorithm === 'HS256'
      ? { secret: createSecretKey(Buffer.from(verificationKey)) }
      : { publicKey: createPublicKey(verificationKey) };
  return { jwt: { issuer, audience, algorithms: [algorithm], ...key } };
}

/** The routes of `orders.ts`, with a decorator on each. */
function createGuardedController(kind: 'api-key' | 'jwt'): Type {
  const Auth = kind === 'api-key' ? ApiKeyAuth : JwtAuth;
  const order = { id: '9b2f6a1e-4c1d-4f0e-8a3b-2f1f6b7c8d9e', status: 'open', total: 1299, currency: 'EUR' };

  @Controller('orders')
  class GuardedOrdersController {
    @Get()
    @Auth('orders:read')
    read(): object {
      return order;
    }

    @Post()
    @Auth('orders:write')
    create(@Body() body: CreateOrderDto): object {
      return { id: order.id, reference: body.reference, city: body.address.city };
    }
  }
  return GuardedOrdersController;
}
