import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import {
  Injectable,
  UnauthorizedException,
  ValidationPipe,
  type CanActivate,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import passport from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';

import type { Credentials, KeyForm } from './contestant.js';

type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Two limits that are never reached, by clients as busy as the throttler's own documentation lets them be: 20 and 100 hits in
 * a window. At the 400 requests a second that each of fifty clients makes here that takes windows of 50 and 250 ms; with
 * windows of a minute its memory store, which filters a list of all their hits on each request, would be many times slower.
 */
export const TWO_LIMITS: ThrottlerOptions[] = [
  { name: 'burst', ttl: 50, limit: 1_000_000_000 },
  { name: 'sustained', ttl: 250, limit: 1_000_000_000 },
];

@Injectable()
export class AcceptingGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

export const createValidationPipe = (): ValidationPipe =>
  new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

// Off, because the load comes over plain HTTP; the question is asked on each request all the same.
const refusesPlainHttp = process.env['REFUSE_PLAIN_HTTP'] === 'true';

/** What applications write by hand. */
const requireHttps: NodeMiddleware = (request, response, next) => {
  const isSecure = 'encrypted' in request.socket || request.headers['x-forwarded-proto'] === 'https';
  if (isSecure || !refusesPlainHttp) {
    next();
    return;
  }
  response.statusCode = 403;
  response.end();
};

export function useHttpsCheck(app: INestApplication): void {
  useOnEveryRequest(app, requireHttps);
}

export function useHelmet(app: INestApplication): void {
  useOnEveryRequest(app, helmet());
}

// On Fastify as @fastify/helmet does it: in an onRequest hook, on the raw response.
function useOnEveryRequest(app: INestApplication, middleware: NodeMiddleware): void {
  const adapter = app.getHttpAdapter();
  if (!(adapter instanceof FastifyAdapter)) {
    app.use(middleware);
    return;
  }
  const fastify: FastifyInstance = adapter.getInstance<FastifyInstance>();
  fastify.addHook('onRequest', (request, reply, done) => {
    middleware(request.raw, reply.raw, (error) => {
      if (error instanceof Error) done(error);
      else done();
    });
  });
}

/** A strategy that accepts at once: what passport itself costs. */
@Injectable()
export class AcceptingStrategy extends PassportStrategy(
  class extends passport.Strategy {
    override authenticate(): void {
      this.success({ id: 'anybody' });
    }
  },
  'accepting',
) {
  validate(): object {
    return {};
  }
}

export const AcceptingAuthGuard: Type<CanActivate> = AuthGuard('accepting');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** API keys as in most guides: SHA-256 of the key, looked up in a map. */
export function createApiKeyStrategy({ apiKey }: Credentials): Type {
  const clients = new Map([[sha256(apiKey), { id: 'bench', scopes: ['orders:read', 'orders:write'] }]]);

  @Injectable()
  class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, 'api-key') {
    constructor() {
      super({ header: 'X-API-Key', prefix: '' }, false);
    }

    validate(key: string): object {
      const client = clients.get(sha256(key));
      if (client === undefined) throw new UnauthorizedException();
      return client;
    }
  }
  return ApiKeyStrategy;
}

export const ApiKeyAuthGuard: Type<CanActivate> = AuthGuard('api-key');

export function createJwtStrategy({ issuer, audience, algorithm }: Credentials, secretOrKey: KeyForm): Type {
  @Injectable()
  class BenchJwtStrategy extends PassportStrategy(JwtStrategy, 'jwt') {
    constructor() {
      super({
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        // The type knows no KeyObject, jsonwebtoken below it does.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        secretOrKey: secretOrKey as string,
        algorithms: [algorithm],
        issuer,
        audience,
      });
    }

    validate({ sub, scope }: { sub: string; scope: string }): object {
      return { id: sub, scopes: scope.split(' ') };
    }
  }
  return BenchJwtStrategy;
}

export const JwtAuthGuard: Type<CanActivate> = AuthGuard('jwt');
