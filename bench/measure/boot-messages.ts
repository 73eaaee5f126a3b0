import type { AdapterName } from '../apps/contestant.js';

export interface BootSetup {
  readonly adapter: AdapterName;
  readonly contestant: 'bare' | 'module';
  readonly routes: number;
  readonly perController: number;
}

export interface BootReport {
  readonly kind: 'booted';
  /** Until the server listens, loading of all code included. */
  readonly sinceProcessStartMs: number;
  /** The part of it that Nest took, from `NestFactory.create()` on. */
  readonly nestMs: number;
}
