import type { OpenAPIObject } from '@nestjs/swagger';

import type { RoutePolicy } from '../policy/route-policy.js';

/** One operation of a document. */
export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/** An operation together with the policy that decides about it. */
export interface SecuredOperation {
  readonly method: (typeof METHODS)[number];
  readonly operation: Operation;
  readonly policy: RoutePolicy;
}

/** Finds the policy of each operation by method and path template; operations of unknown routes are left out. */
export function matchOperations(
  document: OpenAPIObject,
  policies: readonly RoutePolicy[],
): SecuredOperation[] {
  const byAddress = indexByAddress(policies);
  const found: SecuredOperation[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    const template = normalise(path);
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      const candidates = [
        ...(byAddress.get(`${method.toUpperCase()} ${template}`) ?? []),
        ...(byAddress.get(`ALL ${template}`) ?? []),
      ];
      const policy = candidates.find((candidate) => isNamedBy(candidate, operation)) ?? candidates[0];
      if (policy) found.push({ method, operation, policy });
    }
  }
  return found;
}

/** `/users/:id` and `/files/*path` in the notation of OpenAPI: `/users/{id}`, `/files/{path}`. */
export function toOpenApiPath(path: string): string {
  return normalise(path.replace(/[:*]([A-Za-z_$][\w$]*)/g, '{$1}'));
}

function indexByAddress(policies: readonly RoutePolicy[]): Map<string, RoutePolicy[]> {
  const index = new Map<string, RoutePolicy[]>();
  for (const policy of policies) {
    for (const { method, path } of policy.locations) {
      const address = `${method} ${toOpenApiPath(path)}`;
      index.set(address, [...(index.get(address) ?? []), policy]);
    }
  }
  return index;
}

function normalise(path: string): string {
  return `/${path.split('/').filter(Boolean).join('/')}`;
}

// Versions by header or media type share an address; swagger's operation id then tells the handlers apart.
function isNamedBy(policy: RoutePolicy, operation: Operation): boolean {
  return operation.operationId?.startsWith(policy.handler.replace('.', '_')) ?? false;
}
