import type { KeyObject } from 'node:crypto';

import { PassportStrategy } from '@nestjs/passport';
import type { PassportStatic } from 'passport';
import { Strategy, type StrategyOptionsWithRequest } from 'passport-jwt';

import { isEdDsa } from './algorithms.js';
import type { VerificationKey } from './key-material.js';
import type { TokenIssuer } from './token-issuer.js';
import type { ReadToken } from './token-reader.js';

/** What the strategy gets in place of a request: a token whose form is right, and the one key that fits it. */
export class TokenToVerify {
  constructor(
    readonly token: ReadToken,
    readonly key: VerificationKey,
  ) {}
}

/** The strategy's verdict, and its only one: the signature of this very token is good. */
export class VerifiedSignature {
  constructor(readonly token: ReadToken) {}
}

/** The part of passport-jwt that its types leave out. */
interface StrategyInternals {
  readonly _verifOpts: {
    readonly algorithms?: unknown;
    readonly issuer?: unknown;
    readonly audience?: unknown;
  };
}

const verifierOf = (strategy: object): unknown => (strategy as { JwtVerifier?: unknown }).JwtVerifier;
const VERIFIER = verifierOf(Strategy);

/**
 * Registers passport-jwt for one issuer, under `name`, on a passport instance of our own. It sees neither headers nor
 * requests, gets a typed key made at boot, and decides about the signature; what the claims mean is decided from our own
 * reading of them, with our clock. EdDSA, which jsonwebtoken does not know, goes to jose.
 */
export function registerJwtStrategy(passport: PassportStatic, name: string, issuer: TokenIssuer): void {
  const options = {
    jwtFromRequest: ({ token }: TokenToVerify) => token.text,
    secretOrKeyProvider: (
      request: TokenToVerify,
      _token: unknown,
      done: (error: null, key: KeyObject) => void,
    ) => done(null, request.key.key),
    // Inside `jsonWebTokenOptions` these three would be overwritten with undefined (PITFALL J1).
    algorithms: issuer.algorithms.filter((algorithm) => !isEdDsa(algorithm)),
    issuer: issuer.issuer,
    audience: [...issuer.audiences],
    ignoreExpiration: true,
    jsonWebTokenOptions: { ignoreNotBefore: true },
    passReqToCallback: true,
  };

  class IssuerJwtStrategy extends PassportStrategy(Strategy, name) {
    constructor() {
      // The types know secrets as text and Buffer only; a KeyObject is what jsonwebtoken takes best.
      super(options as unknown as StrategyOptionsWithRequest);
      assertOptionsKept(this, options);
    }

    // The package's instance is shared by the whole process, where a second application would replace the strategy.
    getPassportInstance(): PassportStatic {
      return passport;
    }

    override authenticate(request: object, more?: unknown): void {
      if (!(request instanceof TokenToVerify)) {
        this.error(new TypeError('the strategy verifies tokens that were read, not requests'));
      } else if (isEdDsa(request.token.algorithm)) {
        verifyByJose(request).then(
          (good) => (good ? this.success(this.validate(request)) : this.fail('signature', 401)),
          (error: unknown) => this.error(error as Error),
        );
      } else if (verifierOf(Strategy) !== VERIFIER) {
        // A static of the class: whoever replaces it changes every strategy in the process.
        this.error(new Error('the verifier of passport-jwt has been replaced'));
      } else {
        super.authenticate(request as never, more);
      }
    }

    validate(request: TokenToVerify): VerifiedSignature {
      return new VerifiedSignature(request.token);
    }
  }

  // Its constructor registers it.
  void new IssuerJwtStrategy();
}

function assertOptionsKept(
  strategy: object,
  { algorithms, issuer, audience }: Required<StrategyInternals>['_verifOpts'],
): void {
  const { _verifOpts: kept } = strategy as StrategyInternals;
  if (kept.algorithms !== algorithms || kept.issuer !== issuer || kept.audience !== audience) {
    throw new Error('passport-jwt has dropped the options by which tokens are judged');
  }
}

async function verifyByJose({ token, key }: TokenToVerify): Promise<boolean> {
  // Loaded when it is needed: it would take a fifth of the time that this module has to start.
  const { compactVerify, errors } = await import('jose');
  try {
    await compactVerify(token.text, key.key, { algorithms: [...key.algorithms] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}
