import type { ASTVisitor, GraphQLError, GraphQLFormattedError, ValidationContext } from 'graphql';

import type { GraphqlErrors } from './graphql-errors.js';

type ValidationRule = (context: ValidationContext) => ASTVisitor;

/** The options of Apollo's and Mercurius's drivers that the module has a say in. */
export interface DriverOptions {
  path?: string;
  useGlobalPrefix?: boolean;
  introspection?: boolean;
  /** Apollo's sockets, and Mercurius's. */
  subscriptions?: unknown;
  installSubscriptionHandlers?: unknown;
  subscription?: unknown;
  includeStacktraceInErrorResponses?: boolean;
  fieldResolverEnhancers?: readonly string[];
  validationRules?: readonly ValidationRule[] | ((params: unknown) => readonly ValidationRule[]);
  formatError?: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
  errorFormatter?: (execution: MercuriusExecution, ...rest: unknown[]) => MercuriusAnswer;
}

interface MercuriusExecution {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLError[];
}

interface MercuriusAnswer {
  readonly statusCode: number;
  readonly response: { readonly data?: unknown; readonly errors?: readonly GraphQLFormattedError[] };
}

/** Whether a driver would open sockets: they go past everything that requests go through. */
export function opensSockets(options: DriverOptions): boolean {
  return [options.subscriptions, options.installSubscriptionHandlers, options.subscription].some(Boolean);
}

/** What is put into them. */
export interface DriverSecurity {
  readonly rule: ValidationRule;
  readonly errors: GraphqlErrors;
  readonly introspection: boolean;
  /** Some `@ResolveField()` has a policy. */
  readonly guardsFields: boolean;
}

/** Changes the options of a driver in place, before it has started: there is no other way in that both drivers share. */
export function secureDriver(options: DriverOptions, security: DriverSecurity): void {
  const { rule, errors } = security;
  const rules = options.validationRules ?? [];
  options.validationRules =
    typeof rules === 'function' ? (params) => [...rules(params), rule] : [...rules, rule];
  options.introspection = security.introspection && options.introspection !== false;
  options.includeStacktraceInErrorResponses = false;
  const enhancers = options.fieldResolverEnhancers ?? [];
  if (security.guardsFields && !enhancers.includes('guards'))
    options.fieldResolverEnhancers = [...enhancers, 'guards'];
  const own = options.formatError;
  // The application's function has the last word: it is given what is safe, and decides what it adds.
  options.formatError = (_formatted, error) => {
    const formatted = errors.format(error);
    return own ? own(formatted, error) : formatted;
  };
  options.errorFormatter ??= (execution) => answerOf(execution, errors);
}

/** What ran answers 200 (GraphQL over HTTP §6.4.1); what was refused before, the status of its reason. */
function answerOf({ data, errors = [] }: MercuriusExecution, formats: GraphqlErrors): MercuriusAnswer {
  const all = errors.flatMap((error) => nestedIn(error) ?? [error]);
  const refused = data === undefined && errors.some(({ path }) => path === undefined);
  return {
    statusCode: refused ? statusOf(errors[0]?.originalError) : 200,
    response: { data: data ?? null, errors: all.map((error) => formats.format(error)) },
  };
}

/** Mercurius hangs what a document breaks on an error of its own. */
function nestedIn({ originalError }: GraphQLError): readonly GraphQLError[] | undefined {
  const nested: unknown = (originalError as { errors?: unknown } | undefined)?.errors;
  return Array.isArray(nested) ? (nested as GraphQLError[]) : undefined;
}

function statusOf(error: unknown): number {
  const status: unknown = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 400;
}
