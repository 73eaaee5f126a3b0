import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compilePolicy, type PolicyParts } from '../policy/policy-compiler.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import type { ExploredRoute } from './route-explorer.js';

/** A handler and its policy, as the registry keeps them. */
export interface CompiledEntry {
  readonly controller: RouteMetadata['controller'];
  readonly handler: RouteMetadata['handler'];
  readonly policy: RoutePolicy;
}

/** Compiles every route; contradictions are collected, not thrown. */
export function compileRoutes(
  routes: readonly ExploredRoute[],
  parts: PolicyParts,
  problems: ConfigurationProblems,
): CompiledEntry[] {
  return routes.map(({ metadata, methodName, locations }) => ({
    controller: metadata.controller,
    handler: metadata.handler,
    policy: compilePolicy(metadata, methodName, locations, parts, problems),
  }));
}
