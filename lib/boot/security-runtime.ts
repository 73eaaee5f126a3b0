import type { Server } from 'node:http';

import type { HttpAdapterHost } from '@nestjs/core';
import type { ThrottlerStorage } from '@nestjs/throttler';

import { ApiKeyDigest } from '../authentication/api-key/api-key-digest.js';
import { ApiKeyVerifier } from '../authentication/api-key/api-key-verifier.js';
import { compileApiKeyOptions } from '../authentication/api-key/api-key.options.js';
import { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import { MemoryApiKeyStore } from '../authentication/api-key/memory-api-key-store.js';
import { authenticationPart } from '../authentication/authentication.policy.js';
import { Authenticator } from '../authentication/authenticator.js';
import { tokenIssuerWarnings } from '../authentication/jwt/issuer-compiler.js';
import type { TokenSync } from '../authentication/jwt/token-sync.js';
import type { TokenService } from '../authentication/jwt/token.service.js';
import { authorizationPart } from '../authorization/authorization.policy.js';
import { Authorizer } from '../authorization/authorizer.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { answerByStatus } from '../errors/error-answer.js';
import { ErrorWriter } from '../errors/error-writer.js';
import { SecurityEventLogger } from '../events/security-event-logger.js';
import { SecurityEvents } from '../events/security-events.js';
import { headersPart } from '../headers/headers.policy.js';
import { bodyPart } from '../http/body.policy.js';
import { MountedPaths } from '../http/mounted-paths.js';
import { compileProxyTrust, type ProxyTrust } from '../http/proxy-trust.js';
import type { PublishedDocument } from '../http/published-document.js';
import { hardenServer } from '../http/server-hardening.js';
import { AdapterBridge } from '../pipeline/adapter-bridge.js';
import { BodyStage } from '../pipeline/body-stage.js';
import { ExposedCredentials } from '../pipeline/exposed-credentials.js';
import { FailureReports } from '../pipeline/failure-reports.js';
import { escapeJsonAnswers } from '../pipeline/json-answers.js';
import { RequestHook } from '../pipeline/request-hook.js';
import { SecurityExceptionFilter } from '../pipeline/security-exception.filter.js';
import { SecurityGuard } from '../pipeline/security.guard.js';
import { distinguishTrailingSlashes } from '../pipeline/strict-paths.js';
import { Transports } from '../pipeline/transports.js';
import { UnmatchedRequests } from '../pipeline/unmatched-requests.js';
import type { PolicyParts } from '../policy/policy-compiler.js';
import { PolicyRegistry } from '../policy/policy-registry.js';
import { RouteIndex } from '../policy/route-index.js';
import { RateLimitPlans } from '../rate-limit/plans/rate-limit-plans.js';
import { rateLimitPart } from '../rate-limit/rate-limit.policy.js';
import { rateLimitWarnings } from '../rate-limit/rate-limit-warnings.js';
import { adoptGuards } from '../rate-limit/throttler/throttler-guards.js';
import { type ThrottlerSetup, throttlerSetupOf } from '../rate-limit/throttler/throttler-setup.js';
import type { SecurityOptions } from '../security-options.js';
import { auditInputs } from '../validation/audit/audit-report.js';
import { bodyNames, takesBody } from '../validation/declared-input.js';
import { inputPart } from '../validation/input.policy.js';
import { StrictValidationPipe } from '../validation/strict-validation.pipe.js';
import { detailOptions } from '../validation/validation.options.js';
import { adapterTrust } from './adapter-trust.js';
import { bootReport } from './boot-report.js';
import { describeConfiguration } from './configuration-summary.js';
import { buildLimits, type LimitsRuntime, takesRefunds } from './limits-runtime.js';
import { publishedDocuments } from './published-documents.js';
import { compileRoutes } from './route-compiler.js';
import type { RouteExplorer } from './route-explorer.js';
import type { SecurityInternals } from './security-internals.js';
import { SecurityReadiness } from './security-readiness.js';
import { compileConfiguration, type SecurityConfiguration } from './security-configuration.js';
import { accessTokenVerifier, senderConstraint } from './oauth2-runtime.js';
import { buildTokens } from './token-runtime.js';

/** So that the service can be injected where keys are not configured: nothing it makes is accepted anywhere. */
const DISABLED_KEYS = compileApiKeyOptions({}, new ConfigurationProblems());

/** Everything that runs, put together once from the configuration. The module hands out its parts. */
export class SecurityRuntime {
  readonly events: SecurityEvents;
  readonly registry = new PolicyRegistry();
  readonly apiKeyService: ApiKeyService;
  readonly tokenService: TokenService;
  readonly plans: RateLimitPlans;
  readonly guard: SecurityGuard;
  readonly pipe: StrictValidationPipe;
  readonly filter: SecurityExceptionFilter;
  /** For guards of @nestjs/throttler that the application may still have. */
  readonly throttlerStorage: ThrottlerStorage;
  readonly readiness: SecurityReadiness;
  /** For the other modules of this package. */
  readonly internals: SecurityInternals;
  readonly #limits: LimitsRuntime;
  readonly #logger: SecurityEventLogger | undefined;
  readonly #sync: TokenSync | undefined;
  #bridge: AdapterBridge | undefined;
  #trust: ProxyTrust = { trusts: () => false, any: false, header: 'x-forwarded-for' };
  #routes = new RouteIndex([]);
  #inputReport: string | undefined;
  #documents: ReadonlyMap<string, PublishedDocument> = new Map();

  /** @throws SecurityConfigurationError with the problems of the options, and of the routes as far as they are known */
  static create(options: SecurityOptions, explorer: RouteExplorer, host: HttpAdapterHost): SecurityRuntime {
    const problems = new ConfigurationProblems();
    const configuration = compileConfiguration(options, problems);
    if (problems.size > 0) {
      // One error for everything: the routes are looked at too, though the options are bad already.
      compileRoutes(explorer.explore(), partsOf(configuration), problems);
      problems.throwIfAny();
    }
    return new SecurityRuntime(configuration, explorer, host);
  }

  private constructor(
    private readonly configuration: SecurityConfiguration,
    private readonly explorer: RouteExplorer,
    private readonly host: HttpAdapterHost,
  ) {
    const { clock, options } = configuration;
    const events = new SecurityEvents(clock);
    this.events = events;
    this.#logger = options.logger === false ? undefined : new SecurityEventLogger(events);
    const limits = buildLimits(configuration, events);
    this.#limits = limits;
    this.throttlerStorage = limits.throttlerStorage;
    this.plans = limits.plans;
    const keys = this.#keys();
    this.apiKeyService = keys.service;
    const tokens = buildTokens(configuration, events);
    this.tokenService = tokens.service;
    this.#sync = tokens.sync;
    const accessTokens = accessTokenVerifier(configuration, tokens.revocations, events);
    this.readiness = new SecurityReadiness(configuration.issuers, tokens.revocations, limits.shared);
    const { attempts, limiter } = limits;
    const mounts = new MountedPaths();
    const writer = new ErrorWriter(options.errors?.format ?? 'envelope', configuration.escapeJson);
    const authenticator = new Authenticator(
      [...(configuration.apiKeys ? [keys.verifier] : []), ...(accessTokens ? [accessTokens] : [])],
      configuration.apiKeys?.header ?? false,
      attempts,
      events,
      senderConstraint(configuration, () => this.#trust, events),
    );
    const bodies = new BodyStage(
      configuration.jsonLimits,
      configuration.encodings,
      () => this.#bridge?.keepRawBody ?? false,
      detailOptions(options.validation ?? {}),
    );
    const authorizer = new Authorizer(events, clock);
    const plans = limits.resolver;
    const transports = new Transports();
    const reports = new FailureReports(events);
    this.guard = new SecurityGuard(
      this.registry,
      authenticator,
      limiter,
      plans,
      authorizer,
      bodies,
      transports,
    );
    this.pipe = new StrictValidationPipe(options.validation);
    this.filter = new SecurityExceptionFilter(
      host,
      writer,
      new UnmatchedRequests(limiter, configuration.limits, () => this.#routes),
      reports,
      options.validation?.translate,
    );
    const hook = new RequestHook({
      trust: () => this.#trust,
      ipv6Prefix: options.rateLimit?.ipv6Prefix ?? 64,
      headers: configuration.headers,
      transport: configuration.transport,
      load: limits.load,
      limiter: limits.addressLimiter,
      addressRules: configuration.addressRules,
      writer,
      events,
      exposed: new ExposedCredentials({
        keys: configuration.apiKeys && keys.service,
        verifier: configuration.apiKeys && keys.verifier,
        header: configuration.apiKeys?.header ?? false,
        revoke: configuration.apiKeys?.onPlaintext === 'revoke',
        clock,
        events,
      }),
      routes: () => this.#routes,
      documents: () => this.#documents,
      mounts,
    });
    this.internals = {
      mounts,
      attempts,
      clock,
      limits: limits.storage,
      events,
      registry: this.registry,
      transports,
      stages: { authenticator, authorizer, limiter, plans, bodies },
      writer,
      reports,
      hook,
      production: configuration.production,
      jsonLimits: configuration.jsonLimits,
    };
    // The adapter is there already in an application, and comes later in a testing module.
    host.init$.subscribe(() => {
      // A standalone application has none: there is nothing to guard, but keys and tokens to manage.
      if (!host.httpAdapter) return;
      this.#bridge = new AdapterBridge(host.httpAdapter, hook);
      this.#bridge.install();
      distinguishTrailingSlashes(host.httpAdapter);
      if (configuration.escapeJson) escapeJsonAnswers(host.httpAdapter);
    });
  }

  /** Tightens Node's server; before it listens, after the adapter has made it. */
  hardenServer(): void {
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server) return;
    const { connections, headers, options } = this.configuration;
    hardenServer(server, headers.plain, {
      secureHeaders: headers.secure,
      onParserError: ({ status, reason, address }) =>
        this.events.emit('request.malformed', { code: answerByStatus(status).code, reason }, at(address)),
      connections: connections && {
        ...connections,
        isProxy: (address) => this.#trust.trusts(address, 0),
        ipv6Prefix: options.rateLimit?.ipv6Prefix,
        onExceeded: (address) =>
          this.events.emit('transport.rejected', { reason: 'connections.too-many' }, at(address)),
      },
    });
  }

  /**
   * Compiles all routes, once all modules are up.
   * @returns the table for the boot log, unless it is switched off
   * @throws SecurityConfigurationError
   */
  compile(): string | undefined {
    const { configuration } = this;
    const problems = new ConfigurationProblems();
    const { proxy } = configuration.options;
    const setting = proxy?.trust ?? adapterTrust(this.host.httpAdapter);
    this.#trust = compileProxyTrust(setting, proxy?.header ?? 'x-forwarded-for', problems);
    if (this.#bridge && !this.#bridge.active) {
      problems.add(
        'boot.hook-replaced',
        'the HTTP adapter',
        "lost this module's request hook to another one",
        'register other security hooks through Nest, after the modules have been loaded',
      );
    }
    const setup = throttlerSetupOf(configuration.options.rateLimit);
    const adopted = setup && adoptGuards(setup, this.explorer.globalGuards, problems);
    const parts = partsOf(configuration, adopted);
    const routes = this.explorer.explore();
    const entries = compileRoutes(routes, parts, problems).concat(
      this.internals.transports.compile(parts, problems),
    );
    const { validation, logger } = configuration.options;
    this.#inputReport = auditInputs(routes, validation, problems, logger !== false);
    problems.throwIfAny();
    this.registry.fill(entries);
    this.#routes = new RouteIndex(this.registry.policies);
    this.#documents = publishedDocuments(configuration, this.registry.policies, this.#routes);
    if (configuration.options.logger === false) return undefined;
    return bootReport(describeConfiguration(configuration, setting), this.registry.policies);
  }

  /** What an operator should know of sound options, for the boot log; nothing if it is switched off. */
  get warnings(): readonly string[] {
    const { options, issuers, addressRules, plans } = this.configuration;
    if (options.logger === false) return [];
    return [
      ...tokenIssuerWarnings(issuers),
      ...rateLimitWarnings(this.registry.policies, addressRules, plans),
      ...(this.#inputReport === undefined ? [] : [this.#inputReport]),
    ];
  }

  /** Begins to listen to what other processes do; before the first request. */
  async start(): Promise<void> {
    await Promise.all([this.apiKeyService.start(), this.#sync?.start()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.apiKeyService.stop(), this.#sync?.stop(), this.#limits.close()]);
    this.#logger?.close();
  }

  #keys(): { service: ApiKeyService; verifier: ApiKeyVerifier } {
    const { configuration } = this;
    const { clock, options } = configuration;
    const settings = configuration.apiKeys ?? DISABLED_KEYS;
    const store = options.apiKeys?.store ?? new MemoryApiKeyStore();
    const digests = new ApiKeyDigest(settings.peppers);
    const service = new ApiKeyService(store, settings, digests, clock, this.events);
    return { service, verifier: new ApiKeyVerifier(store, settings, digests, clock, service) };
  }
}

const at = (address: string | undefined) => (address === undefined ? {} : { address });

function partsOf(
  { options, authentication, limits, maxBodyBytes }: SecurityConfiguration,
  throttler: ThrottlerSetup | undefined = throttlerSetupOf(options.rateLimit),
): PolicyParts {
  const inputs = inputPart(options.validation);
  return {
    authentication: authenticationPart(authentication),
    authorization: authorizationPart,
    rateLimit: rateLimitPart(limits, takesRefunds(options.rateLimit), throttler),
    body: bodyPart(maxBodyBytes, takesBody, bodyNames),
    query: inputs,
    headers: headersPart,
  };
}
