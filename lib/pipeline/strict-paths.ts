import type { AbstractHttpAdapter } from '@nestjs/core';

interface ExpressAdapter {
  init?(): Promise<void>;
  getInstance(): {
    get(setting: string): unknown;
    readonly router: { strict?: boolean | undefined };
  };
}

/**
 * Makes `/users/` no spelling of `/users` on Express, as it is none on Fastify: a path has one verdict, whatever the adapter (R-IV-29,
 * R-AZ-04). What the application has chosen by itself stays: `strict routing` there, `ignoreTrailingSlash` here. Routes are made
 * after this, so the choice may come as late as that.
 */
export function distinguishTrailingSlashes(adapter: AbstractHttpAdapter): void {
  if (adapter.getType() !== 'express') return;
  const express = adapter as unknown as ExpressAdapter;
  const init = express.init?.bind(express);
  express.init = async () => {
    await init?.();
    const instance = express.getInstance();
    // Express reads its setting when it makes the router, which others may have caused long ago.
    instance.router.strict = instance.get('strict routing') !== false;
  };
}
