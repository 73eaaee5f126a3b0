import type { KeyObject } from 'node:crypto';

import type { INestApplication, ModuleMetadata } from '@nestjs/common';

export type AdapterName = 'express' | 'fastify';
export type Algorithm = 'RS256' | 'ES256' | 'HS256';

/** What a server has to know to check the credentials that the load generator sends. */
export interface Credentials {
  readonly apiKey: string;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithm: Algorithm;
  /** SPKI as PEM, or the secret as text, as the documentation of most packages shows it. */
  readonly verificationKey: string;
}

/** One way to build an application with the two routes of the benchmark. */
export interface Contestant {
  readonly metadata: ModuleMetadata;
  /** Middleware and pipes that belong to the application and not to a module. */
  readonly prepare?: (app: INestApplication) => void;
  /** Makes the API key that takes the place of the fixed one, for contestants that make their own. */
  readonly issueKey?: (app: INestApplication) => Promise<string>;
  /** Nothing but `node:http`, to show where the floor is. */
  readonly isRaw?: true;
}

export type ContestantFactory = (credentials: Credentials) => Contestant | Promise<Contestant>;

/** The verification key as documented (text, parsed on each request) or made once. */
export type KeyForm = string | KeyObject;
