import type { RequestStages } from '../boot/security-internals.js';
import type { JsonLimits } from '../http/json/json-limits.js';
import { SecurityError } from '../errors/security-error.js';
import { checkContent } from '../http/body/media-type.js';
import type { RequestState } from '../http/request-state.js';
import type { FrameworkRequest } from '../pipeline/body-stage.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import type { DocumentCheck } from './document-check.js';
import type { OperationShape } from './document-shape.js';
import { broken, operationOfQuery, operationsOf, type RequestedOperation } from './graphql-request.js';
import { openSession } from './graphql-sessions.js';
import type { ChargedOperation, OperationCharges } from './operation-charges.js';

/** What the gate works with. */
export interface GraphqlGateParts {
  readonly stages: RequestStages;
  readonly documents: DocumentCheck;
  readonly charges: OperationCharges;
  readonly maxBatch: number;
  readonly jsonLimits: JsonLimits;
}

/**
 * What happens to a request for GraphQL before its driver has it: the caller, once for all resolvers; the body, read strictly; each
 * document against its bounds; and the limits of everything that would run, all or nothing. Scopes and roles are the guard's.
 */
export class GraphqlGate {
  constructor(private readonly parts: GraphqlGateParts) {}

  /** @throws SecurityError, as a route does */
  async admit(request: FrameworkRequest, state: RequestState, endpoint: RoutePolicy): Promise<void> {
    const { stages } = this.parts;
    state.policy = endpoint;
    await stages.authenticator.authenticate(state, endpoint);
    state.ownLimits ??= await stages.plans.rulesFor(state.principal, state.plan);
    const operations = await this.#read(request, state, endpoint);
    const known = operations.filter((one): one is ChargedOperation => one.shape !== undefined);
    const charged = known.length === operations.length;
    await stages.limiter.charge(state, this.#rules(state, endpoint, known, charged), undefined);
    openSession(state, { charged });
  }

  #rules(
    state: RequestState,
    endpoint: RoutePolicy,
    known: readonly ChargedOperation[],
    charged: boolean,
  ): readonly RateLimitRule[] {
    if (known.length > 0 && charged) return this.parts.charges.rulesFor(state, known);
    const defaults = defaultsOf(state, endpoint);
    // Persisted documents are charged field by field, by the guard: here the limits are only looked at.
    return charged ? defaults : defaults.map((rule) => ({ ...rule, cost: 0 }));
  }

  /** What cannot be read counts as one operation of the endpoint's own. */
  async #read(request: FrameworkRequest, state: RequestState, endpoint: RoutePolicy) {
    const { stages, documents } = this.parts;
    try {
      if (endpoint.authentication.mode === 'required' && !state.principal)
        throw stages.authenticator.missing(state, endpoint);
      const requested = await this.#requested(request, state, endpoint);
      return requested.map(({ query, operationName, variables }) => {
        const shape = query === undefined ? undefined : chosen(documents.read(query), operationName);
        if (shape !== undefined) refuseWriteByGet(state, shape);
        return { shape, variables };
      });
    } catch (error) {
      await stages.limiter.charge(state, defaultsOf(state, endpoint), undefined);
      throw error;
    }
  }

  async #requested(
    request: FrameworkRequest,
    state: RequestState,
    endpoint: RoutePolicy,
  ): Promise<RequestedOperation[]> {
    const { stages, maxBatch, jsonLimits } = this.parts;
    const { method } = state.request;
    if (method !== 'GET' && method !== 'POST') {
      throw new SecurityError('METHOD_NOT_ALLOWED', 'Method Not Allowed', {
        headers: { Allow: 'GET, POST' },
      });
    }
    await stages.bodies.receive(request, state, endpoint);
    // A driver may bring a parser of its own, for a type that nobody else takes.
    if (request.body !== undefined)
      checkContent(state.request, { types: endpoint.body.mediaTypes, encodings: [] });
    if (method === 'POST') return operationsOf(request.body, maxBatch);
    const query = (request.query ?? {}) as Record<string, unknown>;
    // A page for people, where the driver has one: nothing runs.
    if (query['query'] === undefined && query['extensions'] === undefined) return [];
    return [operationOfQuery(query, jsonLimits)];
  }
}

/** @throws SecurityError `VALIDATION_FAILED` where no driver could choose: such a request must not go uncounted */
function chosen(shapes: readonly OperationShape[], operationName: string | undefined): OperationShape {
  const found =
    operationName === undefined && shapes.length === 1
      ? shapes[0]
      : shapes.find(({ name }) => name !== undefined && name === operationName);
  if (found === undefined)
    throw broken('operationName', 'isOperation', 'operationName must name an operation of the document');
  return found;
}

function refuseWriteByGet({ request }: RequestState, { type }: OperationShape): void {
  if (request.method !== 'GET' || (type as string) === 'query') return;
  throw new SecurityError('METHOD_NOT_ALLOWED', 'Only queries can be asked by GET', {
    headers: { Allow: 'POST' },
  });
}

function defaultsOf({ request }: RequestState, { rateLimit }: RoutePolicy) {
  return request.method === 'GET' ? rateLimit.read.early : rateLimit.write.early;
}
