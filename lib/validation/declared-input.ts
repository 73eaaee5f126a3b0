import { DefaultValuePipe, ParseArrayPipe, RequestMethod, ValidationPipe } from '@nestjs/common';
import { CUSTOM_ROUTE_ARGS_METADATA, METHOD_METADATA, PIPES_METADATA } from '@nestjs/common/constants.js';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { CompiledRoute } from '../policy/policy-compiler.js';
import { CurrentPrincipal } from '../principal/current-principal.decorator.js';
import { ArrayOfPipe } from './array-of.js';
import { RevivingPipe } from './derived/validation-groups.decorator.js';
import { checkDto, type Problem } from './dto-check.js';
import { PagePipe } from './page/page.pipe.js';
import { isDtoClass } from './property-shape.js';
import {
  type InputSource,
  isRawBody,
  isWholeRequest,
  type RouteArgument,
  routeArguments,
  sourceOf,
} from './route-arguments.js';
import type { DtoClass } from './transformer-storage.js';
import { OneOfPipe } from './union/one-of.js';
import { kindOfConstructor } from './value-kinds.js';

/** A parameter of a handler that takes input. */
export interface HandlerInput {
  readonly source: InputSource;
  readonly index: number;
  /** Name of the one value that is taken; undefined for the whole object. */
  readonly name: string | undefined;
  readonly type: unknown;
  /** A pipe or schema of its own judges the value. */
  readonly hasOwnCheck: boolean;
  /** The class that the value, or each item of it, is held against; several for a union. */
  readonly dtos: readonly DtoClass[];
  /** By `@PageQuery()`, which knows all parameters that there are. */
  readonly isPage: boolean;
  /** What is wrong with the pipe that judges it. */
  readonly fault: Problem | undefined;
}

/** The inputs that a handler declares with `@Body()`, `@Query()` and `@Param()`. */
export function inputsOf(metadata: RouteMetadata, methodName: string): HandlerInput[] {
  const prototype = metadata.controller.prototype as object;
  const types = (Reflect.getMetadata('design:paramtypes', prototype, methodName) ?? []) as unknown[];
  const handlerPipes = (Reflect.getMetadata(PIPES_METADATA, metadata.handler) ?? []) as unknown[];
  return routeArguments(metadata.controller, methodName).flatMap(
    ([key, { index, data, pipes = [], schema }]) => {
      const source = sourceOf(key);
      if (source === undefined) return [];
      const name = typeof data === 'string' && data !== '' ? data : undefined;
      const type = types[index];
      const hasOwnCheck = schema !== undefined || [...pipes, ...handlerPipes].some(isCheck);
      const checked = checkedBy(pipes);
      const isPage = pipes.some((pipe) => pipe instanceof PagePipe);
      const own = !hasOwnCheck && isDtoClass(type) ? [type] : [];
      return [
        { source, index, name, type, hasOwnCheck, dtos: checked?.dtos ?? own, fault: checked?.fault, isPage },
      ];
    },
  );
}

/** Whether a pipe may judge a value: those of Nest that need a class to do so, and those that only fill in, do not. */
function isCheck(pipe: unknown): boolean {
  if (pipe === DefaultValuePipe || pipe instanceof DefaultValuePipe) return false;
  if (pipe === ParseArrayPipe || pipe === ValidationPipe || pipe instanceof RevivingPipe) return false;
  if (pipe instanceof ParseArrayPipe) return itemsOf(pipe) !== undefined;
  if (pipe instanceof ValidationPipe)
    return (pipe as unknown as { expectedType?: unknown }).expectedType !== undefined;
  return typeof pipe !== 'function' || !(pipe.prototype instanceof ValidationPipe);
}

/** The classes that a parameter's own pipe holds the value, or each item, against. */
function checkedBy(pipes: readonly unknown[]): Pick<HandlerInput, 'dtos' | 'fault'> | undefined {
  for (const pipe of pipes) {
    const checks = pipe instanceof ArrayOfPipe ? pipe.type : pipe;
    if (checks instanceof OneOfPipe) return { dtos: checks.types, fault: unionFault(checks) };
    if (checks instanceof PagePipe) return { dtos: [checks.dto], fault: pageFault(checks) };
    const type: unknown =
      checks instanceof ParseArrayPipe
        ? itemsOf(checks)
        : checks instanceof ValidationPipe
          ? (checks as unknown as { expectedType?: unknown }).expectedType
          : checks;
    if (pipe !== type && isDtoClass(type)) return { dtos: [type], fault: undefined };
  }
  return undefined;
}

function unionFault({ fault }: OneOfPipe): Problem | undefined {
  const fix = 'give each class values of its own with @Equals() or @IsIn()';
  return fault === undefined ? undefined : { code: 'validation.union', problem: fault, fix };
}

function pageFault({ fault }: PagePipe): Problem | undefined {
  const fix = 'correct the options of @PageQuery()';
  return fault === undefined ? undefined : { code: 'validation.page', problem: fault, fix };
}

function itemsOf(pipe: ParseArrayPipe): unknown {
  return (pipe as unknown as { options?: { items?: unknown } }).options?.items;
}

/** Methods whose requests have no content unless a handler asks for it (R-IV-21). */
const WITHOUT_CONTENT: ReadonlySet<unknown> = new Set([
  RequestMethod.GET,
  RequestMethod.HEAD,
  RequestMethod.DELETE,
]);

/** Whether a handler takes a body: by `@Body()`, or, where there is one as a rule, by taking the whole request. */
export function takesBody(metadata: RouteMetadata, methodName: string): boolean {
  const keys = routeArguments(metadata.controller, methodName).map(([key]) => key);
  if (keys.some((key) => sourceOf(key) === 'body' || isRawBody(key))) return true;
  return (
    keys.some(isWholeRequest) && !WITHOUT_CONTENT.has(Reflect.getMetadata(METHOD_METADATA, metadata.handler))
  );
}

/** The query parameters of a handler that takes them one by one, or none; a DTO knows its own, and a whole request anything. */
export function queryNames(metadata: RouteMetadata, methodName: string): ReadonlySet<string> | undefined {
  return namesOf('query', metadata, methodName);
}

/** The members of its body that a handler takes one by one; undefined where it takes the whole, or nothing. */
export function bodyNames(metadata: RouteMetadata, methodName: string): ReadonlySet<string> | undefined {
  if (routeArguments(metadata.controller, methodName).some(([key]) => isRawBody(key))) return undefined;
  const names = namesOf('body', metadata, methodName);
  return names?.size === 0 ? undefined : names;
}

function namesOf(
  source: InputSource,
  metadata: RouteMetadata,
  methodName: string,
): ReadonlySet<string> | undefined {
  if (routeArguments(metadata.controller, methodName).some(readsAnything)) return undefined;
  const inputs = inputsOf(metadata, methodName).filter((input) => input.source === source);
  const names = inputs.map(({ name }) => name).filter((name) => name !== undefined);
  return names.length === inputs.length ? new Set(names) : undefined;
}

/** The whole request, or a decorator of the application's own, which may read what it likes of it. */
function readsAnything([key, { factory }]: [string, RouteArgument]): boolean {
  if (key.includes(CUSTOM_ROUTE_ARGS_METADATA)) return factory !== currentPrincipalFactory();
  return isWholeRequest(key);
}

/** Nest keeps a decorator's factory with the parameters that it is put on, and nowhere else. */
function currentPrincipalFactory(): unknown {
  class Probe {}
  CurrentPrincipal()(Probe.prototype, 'probe', 0);
  return routeArguments(Probe, 'probe')[0]?.[1].factory;
}

const FIX_WHOLE = 'name a class with class-validator rules, or use arrayOf(ItemDto) for a list';
const FIX_SINGLE =
  'declare string, number, boolean or a date, use arrayOf(String) for a list, or give it a pipe';
/** Types that a body which is no object may have. */
const RAW: ReadonlySet<unknown> = new Set([String, Number, Boolean, Date, Buffer, Uint8Array]);

/** Reports inputs that nothing could validate (R-IV-10): at run time TypeScript leaves `Object` of them, and anything passes. */
export function checkDeclaredInputs(
  { metadata, methodName, where }: CompiledRoute,
  problems: ConfigurationProblems,
): void {
  const inputs = inputsOf(metadata, methodName);
  for (const input of inputs) {
    const at = `${where}, parameter ${input.index + 1} (${input.source})`;
    const { fault } = input;
    if (fault) problems.add(fault.code, at, fault.problem, fault.fix);
    if (input.isPage && inputs.some((other) => other !== input && other.source === 'query')) {
      const problem = 'is the whole query, and another parameter takes a part of it';
      problems.add(
        'validation.page',
        at,
        problem,
        'declare it in a class and name that as the filter of @PageQuery()',
      );
    }
    const seen = new Set<DtoClass>();
    for (const dto of input.dtos) checkDto(dto, { at, source: input.source, problems, seen });
    if (
      input.dtos.length === 0 &&
      !input.hasOwnCheck &&
      !isDeclared(input) &&
      !metadata.isTyped(input.name)
    ) {
      const problem = `has a type that cannot be validated (${nameOf(input.type)})`;
      problems.add('validation.undeclared', at, problem, input.name === undefined ? FIX_WHOLE : FIX_SINGLE);
    }
  }
}

/** Whether the pipe has something to hold a value against, where that is no class. */
function isDeclared({ source, name, type }: HandlerInput): boolean {
  if (name === undefined) return source === 'body' && RAW.has(type);
  // Some compilers emit an enum itself.
  if (kindOfConstructor(type) || (typeof type === 'object' && type !== null)) return true;
  // A branded text or a union of texts: where the type is gone, the pipe takes one text and no more.
  return source !== 'body' && (type === Object || type === undefined);
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name || 'erased' : 'erased';
}
