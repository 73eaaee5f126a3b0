import { Injectable, RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import {
  HOST_METADATA,
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
// The same deep import that @nestjs/swagger uses: the only place that knows how Nest joins prefixes and versions.
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';

import { RouteMetadata } from '../policy/metadata.js';
import type { RouteLocation } from '../policy/route-policy.js';

/** One handler with every address under which the router serves it. */
export interface ExploredRoute {
  readonly metadata: RouteMetadata;
  readonly methodName: string;
  readonly locations: readonly RouteLocation[];
}

type Version = string | typeof VERSION_NEUTRAL;

/** Lists every HTTP handler of the application: prefixes, versions, hosts and inherited methods included. */
@Injectable()
export class RouteExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  explore(): ExploredRoute[] {
    const paths = new RoutePathFactory(this.config);
    const routes = new Map<object, Map<string, ExploredRoute>>();
    for (const wrapper of this.discovery.getControllers()) {
      const controller = wrapper.metatype as RouteMetadata['controller'] | null;
      if (!controller) continue;
      const known = routes.get(controller) ?? new Map<string, ExploredRoute>();
      routes.set(controller, known);
      const modulePath = this.modulePathOf(wrapper.host?.metatype);
      const prototype = controller.prototype as Record<string, RouteMetadata['handler']>;
      for (const methodName of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[methodName]!;
        if (Reflect.getMetadata(PATH_METADATA, handler) === undefined) continue;
        const metadata = new RouteMetadata(controller, handler);
        const locations = this.locationsOf(metadata, modulePath, paths);
        // A controller that two modules declare is served under both modules' paths, by one policy.
        const before = known.get(methodName)?.locations ?? [];
        known.set(methodName, { metadata, methodName, locations: [...before, ...locations] });
      }
    }
    return [...routes.values()].flatMap((known) => [...known.values()]);
  }

  /** Guards that stand before every route, once they have been made. */
  get globalGuards(): readonly unknown[] {
    return this.config.getGlobalGuards();
  }

  private modulePathOf(module: unknown): string | undefined {
    if (typeof module !== 'function') return undefined;
    return (Reflect.getMetadata(MODULE_PATH + this.modules.applicationId, module) ??
      Reflect.getMetadata(MODULE_PATH, module)) as string | undefined;
  }

  private locationsOf(
    { controller, handler }: RouteMetadata,
    modulePath: string | undefined,
    factory: RoutePathFactory,
  ): RouteLocation[] {
    const versioningOptions = this.config.getVersioning();
    const requestMethod = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
    const methodVersion = Reflect.getMetadata(VERSION_METADATA, handler) as Version | Version[] | undefined;
    const controllerVersion = versioningOptions
      ? ((Reflect.getMetadata(VERSION_METADATA, controller) ?? versioningOptions.defaultVersion) as
          | Version
          | Version[]
          | undefined)
      : undefined;
    const version = methodVersion ?? controllerVersion;
    const hosts = listOf<string | RegExp>(Reflect.getMetadata(HOST_METADATA, controller)).map((host) =>
      host?.toString(),
    );
    const locations: RouteLocation[] = [];
    for (const ctrlPath of listOf<string>(Reflect.getMetadata(PATH_METADATA, controller))) {
      for (const methodPath of listOf<string>(Reflect.getMetadata(PATH_METADATA, handler))) {
        const created = factory.create(
          {
            ctrlPath: withLeadingSlash(ctrlPath ?? ''),
            methodPath: withLeadingSlash(methodPath ?? ''),
            globalPrefix: this.config.getGlobalPrefix(),
            ...(modulePath === undefined ? {} : { modulePath }),
            ...(methodVersion === undefined ? {} : { methodVersion }),
            ...(controllerVersion === undefined ? {} : { controllerVersion }),
            ...(versioningOptions === undefined ? {} : { versioningOptions }),
          },
          requestMethod,
        );
        for (const path of created) {
          for (const host of hosts) {
            locations.push({
              method: RequestMethod[requestMethod] ?? 'ALL',
              path,
              version: describeVersion(version),
              host,
            });
          }
        }
      }
    }
    return locations;
  }
}

function listOf<T>(value: unknown): (T | undefined)[] {
  if (Array.isArray(value)) return value.length > 0 ? (value as T[]) : [undefined];
  return [value as T | undefined];
}

function withLeadingSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function describeVersion(version: Version | Version[] | undefined): string | undefined {
  if (version === undefined) return undefined;
  const named = listOf<Version>(version).map((one) => (typeof one === 'string' ? one : 'neutral'));
  return named.join(',');
}
