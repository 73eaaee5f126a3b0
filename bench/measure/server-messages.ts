import type { AdapterName, Credentials } from '../apps/contestant.js';

export interface ServerSetup {
  readonly adapter: AdapterName;
  readonly contestant: string;
  readonly credentials: Credentials;
}

export type ServerCommand = 'cpu' | 'stop';

export type ServerReport =
  | { readonly kind: 'ready'; readonly port: number; readonly apiKey: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cpu'; readonly micros: number };
