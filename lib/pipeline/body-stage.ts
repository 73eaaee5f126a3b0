import { type ErrorDetail, SecurityError } from '../errors/security-error.js';
import { parseForm } from '../http/body/form.js';
import type { BodyEncoding } from '../http/body.options.js';
import { inflateBody } from '../http/body/inflate-body.js';
import { checkContent, type DeclaredContent } from '../http/body/media-type.js';
import { readBody } from '../http/body/read-body.js';
import { hasContent } from '../http/content.js';
import type { JsonLimits } from '../http/json/json-limits.js';
import { parseStrictJson } from '../http/json/strict-json.js';
import { composed } from '../http/json/text-rules.js';
import { readQuery } from '../http/query/strict-query.js';
import type { RequestState } from '../http/request-state.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import { type DetailOptions, inputRefused, UNKNOWN_FIELD } from '../validation/details.js';
import { safeName } from '../validation/input-path.js';
import { isPlainObject } from '../validation/unexpected-fields.js';

/** What Express and Fastify requests have in common, as far as the module fills it in. */
export interface FrameworkRequest {
  body?: unknown;
  rawBody?: Buffer;
  query?: unknown;
  params?: Record<string, string>;
}

/**
 * Reads what a request carries, once it is clear that the caller may send it: no body is read for a refused request
 * (R-RL-24, R-AZ-02), and both adapters get the same verdict from the same reader (R-IV-29).
 */
export class BodyStage {
  constructor(
    private readonly jsonLimits: JsonLimits,
    private readonly encodings: readonly BodyEncoding[],
    private readonly keepRawBody: () => boolean,
    private readonly details: DetailOptions,
  ) {}

  /**
   * @returns a promise of `true`, as a guard says it, where there is a body to wait for
   * @throws SecurityError 400, 413 or 415
   */
  receive(request: FrameworkRequest, state: RequestState, policy: RoutePolicy): undefined | Promise<true> {
    const raw = state.request;
    const queryStart = raw.url!.indexOf('?');
    if (queryStart >= 0) replaceQuery(request, raw.url!.slice(queryStart + 1), policy, this.details);
    if (raw.url!.includes('%')) normalizeParams(request.params);
    if (state.contentType !== undefined) raw.headers['content-type'] = state.contentType;
    // A parser that the application added itself has been here already.
    if (request.body !== undefined || !hasContent(raw)) return undefined;
    if (!policy.body.declared && !takesContent(raw.method)) {
      throw new SecurityError('MALFORMED_REQUEST', 'This request must not have a body', {
        reason: 'body.unexpected',
      });
    }
    const content = checkContent(raw, { types: policy.body.mediaTypes, encodings: this.encodings });
    if (content.type !== 'application/json' && content.type !== FORM) return undefined;
    return this.#read(request, state, policy, content);
  }

  #read(
    request: FrameworkRequest,
    { request: raw, response, expectsContinue }: RequestState,
    policy: RoutePolicy,
    { type, encoding }: DeclaredContent,
  ): Promise<true> {
    const { maxBytes } = policy.body;
    const ready = () => {
      if (expectsContinue) response.writeContinue();
    };
    return readBody(raw, maxBytes, ready, (sent) => {
      if (policy.body.raw === true || this.keepRawBody()) request.rawBody = sent;
      if (sent.length === 0) return true;
      if (encoding === undefined) return this.#parse(request, policy, type, sent);
      return inflateBody(sent, encoding, maxBytes).then((bytes) => this.#parse(request, policy, type, bytes));
    });
  }

  #parse(request: FrameworkRequest, policy: RoutePolicy, type: string, bytes: Buffer): true {
    request.body = type === FORM ? parseForm(bytes) : parseStrictJson(bytes, this.jsonLimits);
    const { declared, members } = policy.body;
    if (!declared) refuseFields(request.body, this.details);
    else if (members) refuseOthers(request.body, members, this.details);
    return true;
  }
}

const FORM = 'application/x-www-form-urlencoded';

/** Text from a path in the form that text from everywhere else has (R-IV-08); what it may not hold was refused with the target. */
function normalizeParams(params: Record<string, unknown> | undefined): void {
  for (const [name, value] of Object.entries(params ?? {})) params![name] = normalized(value);
}

function normalized(value: unknown): unknown {
  // The segments of a wildcard.
  if (Array.isArray(value)) return value.map(normalized);
  if (typeof value !== 'string') return value;
  const normal = composed(value);
  if (normal !== undefined) return normal;
  throw new SecurityError('MALFORMED_REQUEST', 'The path is malformed', { reason: 'path.text' });
}

function takesContent(method: string | undefined): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** A handler that takes no body gets no fields: an empty object is as good as nothing (R-IV-11). */
function refuseFields(body: unknown, details: DetailOptions): void {
  if (isPlainObject(body) && Object.keys(body).length === 0) return;
  const detail = { path: '', rule: 'whitelist', message: 'This route takes no body' };
  throw inputRefused('UNEXPECTED_FIELDS', [detail], details);
}

/** A handler that takes some members of a body gets no others: nobody would look at them (R-IV-11). */
function refuseOthers(body: unknown, members: ReadonlySet<string>, details: DetailOptions): void {
  if (!isPlainObject(body)) {
    const detail = { path: '', rule: 'isObject', message: 'The body must be an object' };
    throw inputRefused('VALIDATION_FAILED', [detail], details);
  }
  const unknown = Object.keys(body).filter((name) => !members.has(name));
  if (unknown.length === 0) return;
  throw inputRefused(
    'UNEXPECTED_FIELDS',
    unknown.map((name) => ({ path: safeName(name), rule: 'whitelist', message: UNKNOWN_FIELD })),
    details,
  );
}

function replaceQuery(
  request: FrameworkRequest,
  rawQuery: string,
  { query }: RoutePolicy,
  details: DetailOptions,
): void {
  const value = Object.create(null) as Record<string, string | readonly string[]>;
  const unknown: ErrorDetail[] = [];
  for (const [name, values] of Object.entries(readQuery(rawQuery))) {
    if (query && !query.has(name)) {
      unknown.push({ path: safeName(name), rule: 'whitelist', message: 'Unknown query parameter' });
    }
    value[name] = values.length === 1 ? values[0]! : values;
  }
  if (unknown.length > 0) throw inputRefused('UNEXPECTED_FIELDS', unknown, details);
  // Express computes `query` in a getter of its prototype: both adapters get the one strict reading instead.
  Object.defineProperty(request, 'query', { value, writable: true, enumerable: true, configurable: true });
}
