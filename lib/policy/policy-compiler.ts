import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RouteMetadata } from './metadata.js';
import type { RouteLocation, RoutePolicy } from './route-policy.js';

/** One handler as the compiler sees it. */
export interface CompiledRoute {
  readonly id: string;
  /** `GET /users/:id (UsersController.one)`: how problems name the route. */
  readonly where: string;
  readonly methodName: string;
  readonly metadata: RouteMetadata;
  readonly locations: readonly RouteLocation[];
}

/** The fields that features contribute. */
export type PolicyField = Exclude<keyof RoutePolicy, 'id' | 'locations' | 'handler'>;

/** A feature's share in the policy: turns metadata and defaults into one frozen field, and reports contradictions. */
export type PolicyPart<F extends PolicyField> = (
  route: CompiledRoute,
  problems: ConfigurationProblems,
) => RoutePolicy[F];

/** The parts of all features, one for each field. */
export type PolicyParts = { readonly [F in PolicyField]: PolicyPart<F> };

/**
 * Compiles one handler's metadata into its policy.
 *
 * @param id names a handler that has no address of its own, such as `Query.orders`
 */
export function compilePolicy(
  metadata: RouteMetadata,
  methodName: string,
  locations: readonly RouteLocation[],
  parts: PolicyParts,
  problems: ConfigurationProblems,
  id: string = idOf(locations),
): RoutePolicy {
  const handler = `${metadata.controller.name}.${methodName}`;
  const route: CompiledRoute = { id, where: `${id} (${handler})`, methodName, metadata, locations };
  const fields = Object.entries(parts).map(([field, part]) => [
    field,
    (part as PolicyPart<PolicyField>)(route, problems),
  ]);
  return Object.freeze({
    id,
    handler,
    locations: Object.freeze([...locations]),
    ...(Object.fromEntries(fields) as Pick<RoutePolicy, PolicyField>),
  });
}

function idOf([first]: readonly RouteLocation[]): string {
  if (!first) return 'none';
  return `${first.method} ${first.path}${first.version ? ` v${first.version}` : ''}${hostSuffix(first)}`;
}

function hostSuffix({ host }: RouteLocation): string {
  return host === undefined ? '' : ` @${host}`;
}
