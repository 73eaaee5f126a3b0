import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compilePolicy, type PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { ExploredRoute } from './route-explorer.js';

/** Compiles every route; contradictions are collected, not thrown. */
export function compileRoutes(
  routes: readonly ExploredRoute[],
  parts: PolicyParts,
  problems: ConfigurationProblems,
): PolicyEntry[] {
  return routes.map(({ metadata, methodName, locations }) => ({
    controller: metadata.controller,
    handler: metadata.handler,
    policy: compilePolicy(metadata, methodName, locations, parts, problems),
  }));
}
