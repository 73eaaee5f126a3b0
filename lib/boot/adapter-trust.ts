import type { AbstractHttpAdapter } from '@nestjs/core';

import type { ProxyTrustSetting } from '../http/proxy-trust.js';

/** What the adapter was told about proxies: Express's `trust proxy` setting, or Fastify's `trustProxy` option. */
export function adapterTrust(adapter: AbstractHttpAdapter | undefined): ProxyTrustSetting | undefined {
  if (!adapter) return undefined;
  const instance = adapter.getInstance<unknown>();
  if (adapter.getType() === 'express') {
    return (instance as { get(name: string): ProxyTrustSetting | undefined }).get('trust proxy');
  }
  return trustOptionOf(instance as object);
}

/** Fastify keeps the option under a symbol of its own, and shows only the harmless ones. */
function trustOptionOf(instance: object): ProxyTrustSetting | undefined {
  for (
    let target: object | null = instance;
    target !== null;
    target = Object.getPrototypeOf(target) as object | null
  ) {
    for (const symbol of Object.getOwnPropertySymbols(target)) {
      if (symbol.description !== 'fastify.options') continue;
      const options = (target as Record<symbol, unknown>)[symbol] as
        | { trustProxy?: ProxyTrustSetting }
        | undefined;
      return options?.trustProxy;
    }
  }
  return undefined;
}
