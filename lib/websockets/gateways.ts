import type { DynamicModule, Type } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { refuseComputedLimits, refuseOutcomes } from '../pipeline/transports.js';
import { RouteMetadata } from '../policy/metadata.js';
import { compilePolicy, type PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { RateLimitPolicy, RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { allRules } from '../rate-limit/rule-order.js';
import { isPlace } from '../rate-limit/rule-traits.js';

/** Keys under which @nestjs/websockets keeps what its decorators say. */
const GATEWAY = 'websockets:is_gateway';
const OPTIONS = 'websockets:gateway_options';
const PORT = 'port';
const MAPPING = 'websockets:message_mapping';
const MESSAGE = 'message';
const COUNT_ONLY = 'websocket.count-only';

type GatewayClass = RouteMetadata['controller'];
type Handler = RouteMetadata['handler'];

/** A gateway class, and the policy of those who connect to it. */
export interface Gateway {
  readonly type: GatewayClass;
  /** Undefined for the adapter's default. */
  readonly path: string | undefined;
  /** `/` where none is named. */
  readonly namespace: string;
  readonly port: number;
}

/** Every gateway class of the application; known before any of them has been made. */
export function findGateways(modules: ModulesContainer): Gateway[] {
  const types = new Set<GatewayClass>();
  for (const { providers } of modules.values()) {
    for (const { metatype } of providers.values()) {
      const type = metatype as Type | DynamicModule | null;
      if (typeof type === 'function' && Reflect.getMetadata(GATEWAY, type) === true) types.add(type);
    }
  }
  return [...types].map((type) => {
    const { path, namespace } = (Reflect.getMetadata(OPTIONS, type) ?? {}) as {
      path?: string;
      namespace?: unknown;
    };
    return {
      type,
      path,
      namespace: typeof namespace === 'string' ? `/${namespace.replace(/^\/+/, '')}` : namespace ? '?' : '/',
      port: (Reflect.getMetadata(PORT, type) as number | undefined) ?? 0,
    };
  });
}

/** Stands for what has no handler: a connection. */
function connect(): void {}
class Undecorated {}

/** Compiles gateways and their handlers; keeps the policies of connections. */
export class GatewayPolicies {
  readonly #connections = new Map<Gateway, RoutePolicy>();

  /** Of those who connect. */
  of(gateway: Gateway): RoutePolicy {
    return this.#connections.get(gateway)!;
  }

  compile(gateway: Gateway, parts: PolicyParts, problems: ConfigurationProblems): PolicyEntry[] {
    const { type, path, namespace } = gateway;
    const id = `WS ${namespace === '/' ? (path ?? '/') : namespace}`;
    checkPlace(gateway, id, problems);
    const metadata = new RouteMetadata(type, connect);
    const connection = compilePolicy(metadata, 'connect', [], parts, problems, id);
    refuseOutcomes(connection, COUNT_ONLY, problems);
    refuseComputedLimits(connection, problems);
    this.#connections.set(gateway, connection);
    const defaults = parts.rateLimit(
      {
        id,
        where: id,
        methodName: 'connect',
        metadata: new RouteMetadata(Undecorated, connect),
        locations: [],
      },
      problems,
    );
    const prototype = type.prototype as Record<string, Handler>;
    const handlers = new MetadataScanner().getAllMethodNames(prototype).flatMap((methodName) => {
      const handler = prototype[methodName]!;
      if (Reflect.getMetadata(MAPPING, handler) === undefined) return [];
      const event = String(Reflect.getMetadata(MESSAGE, handler));
      const own = new RouteMetadata(type, handler);
      const compiled = compilePolicy(own, methodName, [], parts, problems, `${id} ${event}`);
      refuseComputedLimits(compiled, problems);
      refuseUnvalidated(own, methodName, compiled, problems);
      const declared = own.ofHandler('rateLimit') !== undefined;
      if (declared) {
        refuseOutcomes(compiled, COUNT_ONLY, problems);
        refusePlaces(compiled, problems);
      }
      const policy = Object.freeze({ ...compiled, rateLimit: ofMessages(compiled.rateLimit, defaults) });
      return [{ controller: type, handler, policy }];
    });
    return [{ controller: type, handler: connect, policy: connection }, ...handlers];
  }
}

/**
 * How long the places of a connection are held, and so how long it may last: else there would be more of them than the limit says.
 *
 * @param own limits that have come with the credential
 */
export function lifetimeOf(
  policies: readonly RoutePolicy[],
  own: readonly RateLimitRule[] = [],
): number | undefined {
  const windows = [...policies.flatMap(({ rateLimit }) => allRules(rateLimit.read)), ...own]
    .filter((rule) => isPlace(rule) && !rule.meter.dryRun)
    .map(({ meter }) => meter.windowMs);
  return windows.length === 0 ? undefined : Math.min(...windows);
}

function checkPlace({ namespace, port }: Gateway, id: string, problems: ConfigurationProblems): void {
  if (port !== 0) {
    const fix = 'leave the port out, so that it shares the server of the application';
    problems.add('websocket.own-port', id, 'listens on a port of its own, which nobody guards', fix);
  }
  if (namespace === '?') {
    const fix = 'name its namespace by text';
    problems.add('websocket.namespace', id, 'has namespaces whose names are not known at boot', fix);
  }
}

function refusePlaces({ id, rateLimit }: RoutePolicy, problems: ConfigurationProblems): void {
  if (!allRules(rateLimit.read).some(isPlace)) return;
  const fix = 'put it on the gateway, where it counts open connections';
  problems.add('websocket.concurrency', id, 'limits the messages in flight, which nobody can tell', fix);
}

/** Without a decorator Nest hands the message over as it came, past every pipe. */
function refuseUnvalidated(
  { controller }: RouteMetadata,
  methodName: string,
  { id }: RoutePolicy,
  problems: ConfigurationProblems,
): void {
  const args = Reflect.getMetadata('__routeArguments__', controller, methodName) as object | undefined;
  const handler = (controller.prototype as Record<string, Handler>)[methodName]!;
  if (args !== undefined || handler.length < 2) return;
  const fix = 'decorate its parameters with @ConnectedSocket() and @MessageBody()';
  problems.add(
    'websocket.undeclared-body',
    id,
    'takes its message without a decorator, so that no pipe sees it',
    fix,
  );
}

/** A gateway's limit on open connections is none on its messages. */
function ofMessages(policy: RateLimitPolicy, defaults: RateLimitPolicy): RateLimitPolicy {
  const all = allRules(policy.write);
  if (!all.some(isPlace)) return policy;
  const without = (rules: readonly RateLimitRule[]) => Object.freeze(rules.filter((rule) => !isPlace(rule)));
  const { early, late } = policy.write;
  const kept = Object.freeze({ early: without(early), late: without(late) });
  return allRules(kept).length === 0 ? defaults : Object.freeze({ read: kept, write: kept });
}
