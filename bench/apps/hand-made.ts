import { createPublicKey, createSecretKey } from 'node:crypto';

import type { CanActivate, Provider, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';

import type { Contestant, ContestantFactory, Credentials } from './contestant.js';
import {
  AcceptingAuthGuard,
  AcceptingGuard,
  AcceptingStrategy,
  ApiKeyAuthGuard,
  createApiKeyStrategy,
  createJwtStrategy,
  createValidationPipe,
  JwtAuthGuard,
  TWO_LIMITS,
  useHelmet,
  useHttpsCheck,
} from './layers.js';
import { createOrdersController } from './orders.js';

const guard = (useClass: Type<CanActivate>): Provider => ({ provide: APP_GUARD, useClass });

const app = (metadata: Contestant['metadata'], prepare?: Contestant['prepare']): Contestant => ({
  metadata: { controllers: [createOrdersController()], ...metadata },
  ...(prepare && { prepare }),
});

function tunedKey({ algorithm, verificationKey }: Credentials): ReturnType<typeof createPublicKey> {
  return algorithm === 'HS256'
    ? createSecretKey(Buffer.from(verificationKey))
    : createPublicKey(verificationKey);
}

/** HTTPS check, helmet, throttler with two limits, AuthGuard, ValidationPipe: what is assembled today. */
function handMade(strategy: Type, authGuard: Type<CanActivate>): Contestant {
  return app(
    {
      imports: [ThrottlerModule.forRoot(TWO_LIMITS)],
      providers: [strategy, guard(ThrottlerGuard), guard(authGuard)],
    },
    (nest) => {
      useHttpsCheck(nest);
      useHelmet(nest);
      nest.useGlobalPipes(createValidationPipe());
    },
  );
}

/** Every contestant that does not need this module, by name. */
export const CONTESTANTS: Readonly<Record<string, ContestantFactory>> = {
  raw: () => ({ metadata: {}, isRaw: true }),
  bare: () => app({}),

  'layer:guard': () => app({ providers: [guard(AcceptingGuard)] }),
  'layer:https': () => app({}, useHttpsCheck),
  'layer:helmet': () => app({}, useHelmet),
  'layer:throttler': () =>
    app({ imports: [ThrottlerModule.forRoot(TWO_LIMITS)], providers: [guard(ThrottlerGuard)] }),
  'layer:passport': () => app({ providers: [AcceptingStrategy, guard(AcceptingAuthGuard)] }),
  'layer:api-key': (credentials) =>
    app({ providers: [createApiKeyStrategy(credentials), guard(ApiKeyAuthGuard)] }),
  'layer:jwt-documented': (credentials) =>
    app({ providers: [createJwtStrategy(credentials, credentials.verificationKey), guard(JwtAuthGuard)] }),
  'layer:jwt-tuned': (credentials) =>
    app({ providers: [createJwtStrategy(credentials, tunedKey(credentials)), guard(JwtAuthGuard)] }),
  'layer:validation': () => app({}, (nest) => void nest.useGlobalPipes(createValidationPipe())),

  'hand-made:api-key': (credentials) => handMade(createApiKeyStrategy(credentials), ApiKeyAuthGuard),
  'hand-made:jwt-documented': (credentials) =>
    handMade(createJwtStrategy(credentials, credentials.verificationKey), JwtAuthGuard),
  'hand-made:jwt-tuned': (credentials) =>
    handMade(createJwtStrategy(credentials, tunedKey(credentials)), JwtAuthGuard),
};
