import type { Server } from 'node:http';

import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
  type WebSocketAdapter,
} from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';

import { SecurityInternals } from '../boot/security-internals.js';
import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { answerMembers, answerTo } from '../errors/error-answer.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { PolicyParts } from '../policy/policy-compiler.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import { secureAdapter } from './adapter-security.js';
import { Admission, noGateway, release, stateOfSocket } from './admission.js';
import { Connections } from './connections.js';
import { ioPathOf, isAt, isUnder, pathOf } from './gateway-paths.js';
import { findGateways, type Gateway, GatewayPolicies, lifetimeOf } from './gateways.js';
import { checkOrigin, takeOfferedCredential } from './handshake.js';
import type { IoSocket, NativeSocket } from './socket-port.js';
import { UpgradeGate } from './upgrade-gate.js';
import { WebsocketExceptionFilter } from './websocket-exception.filter.js';
import {
  checkWebsocketOptions,
  completeWebsocketOptions,
  type WebsocketSecurityOptions,
} from './websocket-security.options.js';
import { WebsocketTransport } from './websocket-transport.js';

export const WEBSOCKET_SECURITY_OPTIONS = Symbol('nestjs-api-security.websocket-options');

const FILTER = new WebsocketExceptionFilter();

/**
 * Begin reading here. Gateways join the policies; handshakes go through {@link UpgradeGate} and {@link Admission}, messages through
 * {@link Connections} and, as the one guard asks for it, {@link WebsocketTransport}.
 */
@Injectable()
export class WebsocketSecurity implements OnModuleInit, OnApplicationShutdown {
  readonly #settings;
  readonly #gateways: readonly Gateway[];
  readonly #policies = new GatewayPolicies();
  readonly #connections: Connections;
  readonly #admission: Admission;
  #kind: 'native' | 'io' = 'io';

  constructor(
    @Inject(WEBSOCKET_SECURITY_OPTIONS) private readonly options: WebsocketSecurityOptions,
    @Inject(SecurityInternals) private readonly internals: SecurityInternals,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    this.#settings = completeWebsocketOptions(options);
    this.#connections = new Connections(internals, this.#settings);
    this.#admission = new Admission(internals);
    this.#gateways = findGateways(modules);
    for (const { type } of this.#gateways) addFilter(type);
    // Nest binds gateways before any hook of a module: the adapter has to be met where it is handed over.
    const set = config.setIoAdapter.bind(config);
    config.setIoAdapter = (adapter) => {
      this.#secure(adapter);
      set(adapter);
    };
  }

  onModuleInit(): void {
    this.internals.transports.add(
      new WebsocketTransport(this.internals, (parts, problems) => this.#compile(parts, problems)),
    );
  }

  onApplicationShutdown(): void {
    this.#connections.close();
  }

  #compile(parts: PolicyParts, problems: ConfigurationProblems) {
    checkWebsocketOptions(this.options, problems);
    const entries = this.#gateways.flatMap((gateway) => this.#policies.compile(gateway, parts, problems));
    // All modules are up by now, and nobody can connect yet.
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    if (server) new UpgradeGate(this.internals, (state) => this.#admit(state)).install(server);
    return entries;
  }

  #secure(adapter: WebSocketAdapter): void {
    this.#kind = secureAdapter(adapter, {
      maxMessageBytes: this.#settings.maxMessageBytes,
      opened: (socket, request) => this.#opened(socket, request),
      joins: (socket, path, namespace) => this.#joins(socket, path, namespace),
    });
  }

  /** A handshake: whoever is refused here learns it from a status. */
  async #admit(state: RequestState): Promise<void> {
    const { request } = state;
    const policies = this.#policiesAt(pathOf(request.url));
    // A path that is no gateway's is the business of who else listens.
    if (policies.length === 0) return;
    checkOrigin(request, this.#settings.origins);
    takeOfferedCredential(request);
    if (this.#kind === 'io') {
      // The credential may come behind the handshake, for one namespace or another; one that comes with it has to be good.
      return this.#admission.identify(state, anyScheme(policies));
    }
    await this.#admission.admit(state, policies);
    releaseWith(request.socket, state);
  }

  #opened(socket: NativeSocket, request: object): void {
    const state = requestStateOf(request);
    // Several gateways may share a path: it is one socket all the same.
    if (!state || requestStateOf(socket) !== undefined) return;
    const policies = this.#policiesAt(pathOf(state.request.url));
    this.#connections.openNative(socket, state, lifetimeOf(policies, state.ownLimits));
  }

  async #joins(socket: IoSocket, path: string, namespace: string): Promise<void> {
    const handshake = requestStateOf(socket.request)!;
    const policies = this.#gateways
      .filter((gateway) => isAt(gateway, path) && gateway.namespace === namespace)
      .map((gateway) => this.#policies.of(gateway));
    let state = handshake;
    try {
      if (policies.length === 0) throw noGateway();
      state = stateOfSocket(handshake, socket.handshake.auth);
      await this.#admission.admit(state, policies);
    } catch (error) {
      if (state !== handshake) release(state);
      const answer = answerTo(error, true);
      this.internals.reports.report(error, answer, eventContextOf(state));
      const { code, message, extras } = answer;
      // What socket.io's client finds in `data` of the event `connect_error`.
      throw Object.assign(new Error(message), {
        data: { error: { code, message, ...answerMembers(extras) } },
      });
    }
    socket.once('disconnect', () => release(state));
    // One that breaks before it has joined is never said to disconnect.
    releaseWith(handshake.request.socket, state);
    this.#connections.openIo(socket, state, lifetimeOf(policies, state.ownLimits));
  }

  #policiesAt(path: string): RoutePolicy[] {
    return this.#gateways
      .filter((gateway) =>
        this.#kind === 'native' ? pathOf(gateway.path) === path : isUnder(path, ioPathOf(gateway)),
      )
      .map((gateway) => this.#policies.of(gateway));
  }
}

/** The client may have gone while it was being decided about. */
function releaseWith(transport: RequestState['request']['socket'], state: RequestState): void {
  if (transport.destroyed) release(state);
  else transport.once('close', () => release(state));
}

/** Every scheme that some gateway takes: which of them it may be is decided where it is known where to. */
function anyScheme([first, ...rest]: readonly RoutePolicy[]): RoutePolicy {
  const all = [first!, ...rest].map(({ authentication }) => authentication);
  const authentication = {
    ...first!.authentication,
    schemes: all.flatMap(({ schemes }) => schemes),
    challenges: all.flatMap(({ challenges }) => challenges),
    dpopRequired: false,
  };
  return { ...first!, authentication };
}

/** As `@UseFilters()` would, and before filters of the application's own, which are asked first then. */
function addFilter(type: object): void {
  const own = (Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, type) ?? []) as unknown[];
  if (!own.includes(FILTER)) Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, [FILTER, ...own], type);
}
