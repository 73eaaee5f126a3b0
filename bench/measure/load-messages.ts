import type { Algorithm } from '../apps/contestant.js';

/** Signs `count` tokens and keeps them. */
export interface SignTokens {
  readonly kind: 'tokens';
  readonly algorithm: Algorithm;
  readonly privateKey: string;
  readonly issuer: string;
  readonly audience: string;
  readonly count: number;
}

/** Sends one request over and over, or one for each token of a range of the kept ones. */
export interface RunLoad {
  readonly kind: 'run';
  readonly port: number;
  readonly connections: number;
  /** The request; where it says `{token}`, a token goes. */
  readonly request: string;
  /** The first token of the range, used for all requests unless `freshTokens`. */
  readonly firstToken: number;
  readonly freshTokens: boolean;
  /** Ends after so many milliseconds… */
  readonly durationMs?: number;
  /** …or after so many requests. */
  readonly count?: number;
}

export type LoadCommand = SignTokens | RunLoad;

export interface LoadResult {
  readonly kind: 'result';
  readonly requests: number;
  readonly seconds: number;
  /** Responses by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

export type LoadReport =
  | LoadResult
  | { readonly kind: 'signed' }
  | { readonly kind: 'failed'; readonly reason: string };
