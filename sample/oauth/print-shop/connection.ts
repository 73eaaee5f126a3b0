import * as oauth from 'openid-client';

import { type Places, PRINT_SHOP } from '../places.js';

/** What became of a request to the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** Between the question to the user and the answer. */
export interface Pending {
  readonly verifier: string;
  readonly state: string;
}

/** One visitor's connection to their account: a key, and tokens that are good with that key alone. */
export class Connection {
  #tokens: oauth.TokenEndpointResponse | undefined;

  private constructor(
    private readonly config: oauth.Configuration,
    private readonly proofs: oauth.DPoPHandle,
    private readonly places: Places,
  ) {}

  static async open(places: Places, secret: string): Promise<Connection> {
    const config = await oauth.discovery(
      new URL(places.authorizationServer),
      PRINT_SHOP,
      undefined,
      oauth.ClientSecretBasic(secret),
      // Plain http on this machine alone.
      { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] },
    );
    const keys = await oauth.randomDPoPKeyPair();
    return new Connection(config, oauth.getDPoPHandle(config, keys), places);
  }

  get connected(): boolean {
    return this.#tokens !== undefined;
  }

  get scopes(): string {
    return this.#tokens?.scope ?? '';
  }

  /** Where the visitor is sent to be asked. */
  async begin(): Promise<{ url: URL; pending: Pending }> {
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = oauth.buildAuthorizationUrl(this.config, {
      redirect_uri: `${this.places.printShop}/callback`,
      scope: 'users:read users:write',
      resource: this.places.usersApi,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
    });
    return { url, pending: { verifier, state } };
  }

  /** @throws Error if the user said no, or the answer is not for this visitor */
  async complete(url: URL, { verifier, state }: Pending): Promise<void> {
    this.#tokens = await oauth.authorizationCodeGrant(
      this.config,
      url,
      { pkceCodeVerifier: verifier, expectedState: state },
      undefined,
      { DPoP: this.proofs },
    );
  }

  /** Asks the API as the user allowed it. */
  async call(method: 'GET' | 'POST', body?: object): Promise<ApiAnswer> {
    if (!this.#tokens) throw new Error('not connected');
    try {
      const response = await oauth.fetchProtectedResource(
        this.config,
        this.#tokens.access_token,
        new URL('/users', this.places.usersApi),
        method,
        body && JSON.stringify(body),
        new Headers(body && { 'Content-Type': 'application/json' }),
        { DPoP: this.proofs },
      );
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (error instanceof oauth.WWWAuthenticateChallengeError)
        return { status: error.status, text: error.response.headers.get('www-authenticate') ?? '' };
      throw error;
    }
  }
}
