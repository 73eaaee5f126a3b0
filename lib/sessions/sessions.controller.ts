import 'reflect-metadata';

import type { IncomingMessage } from 'node:http';

import {
  Body,
  type CanActivate,
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  type Type,
  UseGuards,
} from '@nestjs/common';

import { JwtAuth } from '../authentication/jwt/jwt-auth.decorator.js';
import { readRefreshToken } from '../authentication/jwt/refresh-token.js';
import { type SessionInfo, type TokenPair, TokenService } from '../authentication/jwt/token.service.js';
import { Public } from '../authentication/public.decorator.js';
import { SecurityError } from '../errors/security-error.js';
import { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import { createMeter } from '../policy/limit-meter.js';
import { SecurityInternals } from '../boot/security-internals.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import type { RateLimitSubject } from '../policy/route-policy.js';
import { CurrentPrincipal } from '../principal/current-principal.decorator.js';
import type { Principal } from '../principal/principal.js';
import { RateLimit } from '../rate-limit/rate-limit.decorator.js';
import { deviceLabel } from './device-label.js';
import { accountName, LoginBackoff } from '../authentication/login-backoff.js';
import type { OpenApiMetadata } from './openapi-metadata.js';
import { clearCookie, readCookie, refuseForgery, saysBrowser, setCookie } from './refresh-cookie.js';
import { OptionalRefreshDto, RefreshDto, SessionIdDto } from './session-input.dto.js';
import { bodyOf, SessionDto, TokenPairDto, viewOf } from './session-view.dto.js';
import type { Authenticate, LoginAttempt, SessionRoutesSettings } from './sessions.options.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';

/** @internal The function that checks credentials. */
export const AUTHENTICATE = Symbol('nestjs-api-security.authenticate');

/** Refreshes of one session in a minute: a token is good for minutes. */
const OF_FAMILY = createMeter({ bucket: 'refresh:family', limit: 30, windowMs: 60_000 });

const State = createParamDecorator((_: unknown, context: ExecutionContext): RequestState => {
  const state = requestStateOf(context.switchToHttp().getRequest<object>());
  if (!state) throw new Error('SessionsModule needs SecurityModule, on HTTP');
  return state;
});

/** A refresh by cookie needs no body. Guards run before the body is validated. */
const emptyBody: CanActivate = {
  canActivate(context) {
    context.switchToHttp().getRequest<{ body?: unknown }>().body ??= {};
    return true;
  },
};

/** Only who has a token of the family can use up its limit (R-RT-10). */
async function limitFamily(storage: RateLimitStorage, token: string): Promise<void> {
  const presented = readRefreshToken(token);
  if (!presented) return;
  const charge = { meter: OF_FAMILY, subject: presented.digests.family, cost: 1 };
  const { allowed, states } = await storage.consume([charge]);
  if (allowed) return;
  const retryAfter = retryAfterSeconds(states[0]!.resetMs);
  throw new SecurityError('RATE_LIMITED', 'Too many refreshes', { retryAfter, reason: 'refresh.family' });
}

/** The controller of the routes; a class for each call, because decorators hold the options. */
export function createSessionsController(settings: SessionRoutesSettings): Type {
  const { limits, transport } = settings;
  const accountOf = (credentials: unknown): string => {
    try {
      return accountName(settings.account((credentials ?? {}) as never));
    } catch {
      return '';
    }
  };
  const byAccount = ({ address, body }: RateLimitSubject) => JSON.stringify([address, accountOf(body)]);
  const usesCookie = (request: IncomingMessage) =>
    transport === 'cookie' || (transport === 'both' && saysBrowser(request));

  @Controller(settings.path)
  class SessionsController {
    readonly #storage: RateLimitStorage;
    readonly #backoff: LoginBackoff;

    constructor(
      @Inject(TokenService) private readonly tokens: TokenService,
      @Inject(SecurityEvents) private readonly events: SecurityEvents,
      @Inject(AUTHENTICATE) private readonly authenticate: Authenticate<never>,
      @Inject(SecurityInternals) { limits: shared }: SecurityInternals,
    ) {
      this.#storage = settings.storage ?? shared;
      this.#backoff = new LoginBackoff(this.#storage);
    }

    @Public()
    @Post('token')
    @HttpCode(200)
    @RateLimit([
      { ...limits.account, by: byAccount },
      { ...limits.login, by: 'address' },
    ])
    async token(@Body() credentials: object, @State() state: RequestState): Promise<TokenPairDto> {
      const { request, address, addressKey } = state;
      if (usesCookie(request)) refuseForgery(request);
      const userAgent = request.headers['user-agent'];
      const attempt = this.#backoff.tryOf(accountOf(credentials), addressKey);
      await this.#backoff.check(attempt);
      const subject = await this.authenticate(credentials as never, {
        address,
        userAgent,
      } satisfies LoginAttempt);
      if (subject === undefined) {
        await this.#backoff.failed(attempt);
        this.events.emit(
          'authentication.failed',
          { scheme: 'login', reason: 'credentials.wrong' },
          eventContextOf(state),
        );
        throw new SecurityError('UNAUTHENTICATED', 'The credentials are wrong');
      }
      this.#backoff.succeeded(attempt);
      const { subject: id, ...grant } = typeof subject === 'string' ? { subject } : subject;
      const device = deviceLabel(userAgent);
      const pair = await this.tokens.issue(id, {
        ...(device !== undefined && { device }),
        ...grant,
        address,
      });
      return this.#give(pair, state);
    }

    @Public()
    @Post('refresh')
    @HttpCode(200)
    @UseGuards(...(transport === 'body' ? [] : [emptyBody]))
    @RateLimit({ ...limits.refresh, by: 'address' })
    async refresh(
      @Body() input: { refreshToken?: string },
      @State() state: RequestState,
    ): Promise<TokenPairDto> {
      const token = this.#refreshTokenOf(input, state);
      await limitFamily(this.#storage, token);
      try {
        return this.#give(await this.tokens.refresh(token, { address: state.address }), state);
      } catch (error) {
        const isOver = error instanceof SecurityError && error.code === 'UNAUTHENTICATED';
        if (isOver && usesCookie(state.request)) clearCookie(state.response);
        throw error;
      }
    }

    @Post('logout')
    @HttpCode(204)
    @JwtAuth()
    async logout(@CurrentPrincipal() principal: Principal, @State() state: RequestState): Promise<void> {
      await this.tokens.revoke(principal);
      if (transport !== 'body') clearCookie(state.response);
    }

    @Get('sessions')
    @JwtAuth()
    async sessions(@CurrentPrincipal() principal: Principal): Promise<SessionDto[]> {
      const own = await this.#sessionsOf(principal);
      return own.map((session) => viewOf(session, principal.sessionId));
    }

    @Delete('sessions')
    @HttpCode(204)
    @JwtAuth()
    async endOthers(@CurrentPrincipal() principal: Principal): Promise<void> {
      const own = await this.#sessionsOf(principal);
      for (const { id } of own) if (id !== principal.sessionId) await this.tokens.revoke(id);
    }

    @Delete('sessions/:id')
    @HttpCode(204)
    @JwtAuth()
    async end(@CurrentPrincipal() principal: Principal, @Param() { id }: SessionIdDto): Promise<void> {
      const own = await this.#sessionsOf(principal);
      if (!own.some((session) => session.id === id)) throw new SecurityError('NOT_FOUND', 'No such session');
      await this.tokens.revoke(id);
    }

    #refreshTokenOf(input: { refreshToken?: string }, { request }: RequestState): string {
      if (!usesCookie(request)) {
        if (input.refreshToken !== undefined) return input.refreshToken;
        throw new SecurityError('INVALID_REQUEST', 'The refresh token is missing', {
          reason: 'refresh.missing',
        });
      }
      refuseForgery(request);
      const token = readCookie(request);
      if (token !== undefined && input.refreshToken === undefined) return token;
      throw new SecurityError('UNAUTHENTICATED', 'The refresh token is not valid', {
        reason: 'refresh.cookie',
      });
    }

    #give(pair: TokenPair, { request, response }: RequestState): TokenPairDto {
      response.setHeader('Cache-Control', 'no-store');
      response.setHeader('Pragma', 'no-cache');
      const inCookie = usesCookie(request);
      if (inCookie) setCookie(response, pair.refreshToken, this.tokens.refreshLifetime);
      return bodyOf(pair, !inCookie);
    }

    /** A subject of another issuer is another person, though the names may be the same (R-JW-20). */
    async #sessionsOf({ id, issuer }: Principal): Promise<readonly SessionInfo[]> {
      if (issuer === this.tokens.issuer) return this.tokens.sessions(id);
      throw new SecurityError('FORBIDDEN', 'You have no sessions here', { reason: 'sessions.issuer' });
    }

    static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
      return {
        token: { status: 200, type: TokenPairDto, summary: 'Log in' },
        refresh: { status: 200, type: TokenPairDto, summary: 'Exchange a refresh token for a new pair' },
        logout: { status: 204, description: 'Logged out', summary: 'End this session with all its tokens' },
        sessions: { status: 200, type: [SessionDto], summary: 'Your sessions, the one used last first' },
        endOthers: { status: 204, description: 'Ended', summary: 'End all your sessions but this one' },
        end: { status: 204, description: 'Ended', summary: 'End one of your sessions' },
      };
    }
  }
  const refreshDto = transport === 'body' ? RefreshDto : OptionalRefreshDto;
  declareBody(SessionsController, 'token', settings.credentials);
  declareBody(SessionsController, 'refresh', refreshDto);
  for (const decorate of settings.decorators) decorate(SessionsController);
  return SessionsController;
}

/** Types of the options' own, where the compiler could only write `Object`. */
function declareBody(controller: Type, method: string, dto: Type): void {
  Reflect.defineMetadata('design:paramtypes', [dto, Object], controller.prototype as object, method);
}
