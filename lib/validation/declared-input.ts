import { DefaultValuePipe, ParseArrayPipe, RequestMethod, ValidationPipe } from '@nestjs/common';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  METHOD_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { CompiledRoute } from '../policy/policy-compiler.js';
import { CurrentPrincipal } from '../principal/current-principal.decorator.js';
import { ArrayOfPipe } from './array-of.js';
import { shapeOf } from './dto-shape.js';
import { isDtoClass, type PropertyShape } from './property-shape.js';
import type { DtoClass } from './transformer-storage.js';
import { kindOfConstructor } from './value-kinds.js';

/** A parameter of a handler that takes input. */
export interface HandlerInput {
  readonly source: 'body' | 'query' | 'path';
  readonly index: number;
  /** Name of the one value that is taken; undefined for the whole object. */
  readonly name: string | undefined;
  readonly type: unknown;
  /** A pipe or schema of its own judges the value. */
  readonly hasOwnCheck: boolean;
  /** The class that the value, or each item of it, is held against. */
  readonly dto: DtoClass | undefined;
}

interface RouteArgument {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly schema?: unknown;
  /** Of a decorator made with `createParamDecorator()`. */
  readonly factory?: unknown;
}

/** Keys of `ROUTE_ARGS_METADATA` begin with these numbers (Nest's `RouteParamtypes`). */
const SOURCES: Readonly<Record<string, HandlerInput['source']>> = { '3': 'body', '4': 'query', '5': 'path' };
const WHOLE_REQUEST = '0';
/** The body as bytes. */
const RAW_BODY = '12';

function argumentsOf(
  { controller }: RouteMetadata,
  methodName: string,
): [key: string, argument: RouteArgument][] {
  const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, methodName) as
    | Record<string, RouteArgument>
    | undefined;
  return Object.entries(args ?? {});
}

/** The inputs that a handler declares with `@Body()`, `@Query()` and `@Param()`. */
export function inputsOf(metadata: RouteMetadata, methodName: string): HandlerInput[] {
  const prototype = metadata.controller.prototype as object;
  const types = (Reflect.getMetadata('design:paramtypes', prototype, methodName) ?? []) as unknown[];
  const handlerPipes = (Reflect.getMetadata(PIPES_METADATA, metadata.handler) ?? []) as unknown[];
  return argumentsOf(metadata, methodName).flatMap(([key, { index, data, pipes = [], schema }]) => {
    const source = SOURCES[key.split(':', 1)[0]!];
    if (source === undefined) return [];
    const name = typeof data === 'string' && data !== '' ? data : undefined;
    const type = types[index];
    const hasOwnCheck = schema !== undefined || [...pipes, ...handlerPipes].some(isCheck);
    const item = itemTypeOf(pipes);
    const dto = item ?? (!hasOwnCheck && isDtoClass(type) ? type : undefined);
    return [{ source, index, name, type, hasOwnCheck, dto }];
  });
}

/** Whether a pipe may judge a value: those of Nest that need a class to do so, and those that only fill in, do not. */
function isCheck(pipe: unknown): boolean {
  if (pipe === DefaultValuePipe || pipe instanceof DefaultValuePipe) return false;
  if (pipe === ParseArrayPipe || pipe === ValidationPipe) return false;
  if (pipe instanceof ParseArrayPipe) return itemsOf(pipe) !== undefined;
  if (pipe instanceof ValidationPipe)
    return (pipe as unknown as { expectedType?: unknown }).expectedType !== undefined;
  return typeof pipe !== 'function' || !(pipe.prototype instanceof ValidationPipe);
}

/** The class that a parameter's own pipe holds each item, or the value, against. */
function itemTypeOf(pipes: readonly unknown[]): DtoClass | undefined {
  for (const pipe of pipes) {
    const type: unknown =
      pipe instanceof ArrayOfPipe
        ? pipe.type
        : pipe instanceof ParseArrayPipe
          ? itemsOf(pipe)
          : pipe instanceof ValidationPipe
            ? (pipe as unknown as { expectedType?: unknown }).expectedType
            : undefined;
    if (isDtoClass(type)) return type;
  }
  return undefined;
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
  const keys = argumentsOf(metadata, methodName).map(([key]) => key.split(':', 1)[0]!);
  if (keys.some((key) => SOURCES[key] === 'body' || key === RAW_BODY)) return true;
  return (
    keys.includes(WHOLE_REQUEST) &&
    !WITHOUT_CONTENT.has(Reflect.getMetadata(METHOD_METADATA, metadata.handler))
  );
}

/** The query parameters of a handler that takes them one by one, or none; a DTO knows its own, and a whole request anything. */
export function queryNames(metadata: RouteMetadata, methodName: string): ReadonlySet<string> | undefined {
  if (argumentsOf(metadata, methodName).some(readsAnything)) return undefined;
  const queries = inputsOf(metadata, methodName).filter(({ source }) => source === 'query');
  const names = queries.map(({ name }) => name).filter((name) => name !== undefined);
  return names.length === queries.length ? new Set(names) : undefined;
}

/** The whole request, or a decorator of the application's own, which may read what it likes of it. */
function readsAnything([key, { factory }]: [string, RouteArgument]): boolean {
  if (key.includes(CUSTOM_ROUTE_ARGS_METADATA)) return factory !== currentPrincipalFactory();
  return key.startsWith(`${WHOLE_REQUEST}:`);
}

/** Nest keeps a decorator's factory with the parameters that it is put on, and nowhere else. */
function currentPrincipalFactory(): unknown {
  class Probe {}
  CurrentPrincipal()(Probe.prototype, 'probe', 0);
  const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, Probe, 'probe') as Record<string, RouteArgument>;
  return Object.values(args)[0]?.factory;
}

const FIX_WHOLE = 'name a class with class-validator rules, or use arrayOf(ItemDto) for a list';
const FIX_SINGLE =
  'declare string, number, boolean or an enum, use arrayOf(String) for a list, or give it a pipe';
/** Types that a body which is no object may have. */
const RAW: ReadonlySet<unknown> = new Set([String, Number, Boolean, Date, Buffer, Uint8Array]);

/** Reports inputs that nothing could validate (R-IV-10): at run time TypeScript leaves `Object` of them, and anything passes. */
export function checkDeclaredInputs(
  { metadata, methodName, where }: CompiledRoute,
  problems: ConfigurationProblems,
): void {
  for (const input of inputsOf(metadata, methodName)) {
    const at = `${where}, parameter ${input.index + 1} (${input.source})`;
    if (input.dto) checkDto(input.dto, { at, source: input.source, problems, seen: new Set() });
    else if (!input.hasOwnCheck && !isDeclared(input)) {
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

interface DtoCheck {
  readonly at: string;
  readonly source: HandlerInput['source'];
  readonly problems: ConfigurationProblems;
  readonly seen: Set<DtoClass>;
}

function checkDto(dto: DtoClass, check: DtoCheck): void {
  const { at, source, problems, seen } = check;
  if (seen.has(dto)) return;
  seen.add(dto);
  const { byName } = shapeOf(dto);
  if (byName.size === 0) {
    problems.add(
      'validation.no-rules',
      at,
      `takes ${dto.name || 'a class'}, which has no rules`,
      'decorate its properties, or import it as a value and not with `import type`',
    );
  }
  for (const property of byName.values()) {
    const found = problemOf(property, source);
    if (found) problems.add(found.code, `${at}: ${dto.name}.${property.name}`, found.problem, found.fix);
    for (const nested of property.nested?.classes ?? []) checkDto(nested, check);
  }
}

interface Problem {
  readonly code: string;
  readonly problem: string;
  readonly fix: string;
}

function problemOf(property: PropertyShape, source: HandlerInput['source']): Problem | undefined {
  const { nested, designType, transformed, typedAs } = property;
  if (property.unsupported) {
    return {
      code: 'validation.nested.collection',
      problem: 'is a Set or Map of another class',
      fix: 'declare an array',
    };
  }
  if (property.rules.has('nestedValidation')) {
    if (!nested)
      return {
        code: 'validation.nested.type',
        problem: 'has @ValidateNested() but no class',
        fix: 'add @Type(() => ItemDto)',
      };
    if (source === 'body') return undefined;
    return {
      code: 'validation.nested.text',
      problem: 'is an object, and queries and paths hold texts',
      fix: 'declare its fields one by one',
    };
  }
  if (transformed || typedAs) return undefined;
  if (isDtoClass(designType) && shapeOf(designType).byName.size > 0) {
    return {
      code: 'validation.nested.unvalidated',
      problem: 'holds a class whose rules are never asked',
      fix: 'add @ValidateNested() and @Type(() => …)',
    };
  }
  return hasUncheckedItems(property)
    ? {
        code: 'validation.items',
        problem: 'is a list whose items no rule looks at',
        fix: 'add rules with { each: true }, or @ValidateNested({ each: true }) and @Type(() => ItemDto)',
      }
    : undefined;
}

/** Rules that say something of a list as a whole and nothing of its items. */
const LIST_RULES: ReadonlySet<string> = new Set([
  'isArray',
  'arrayMinSize',
  'arrayMaxSize',
  'arrayNotEmpty',
  'arrayUnique',
  'isDefined',
  'isNotEmpty',
  'isOptional',
  'conditionalValidation',
]);

function hasUncheckedItems({ designType, rules }: PropertyShape): boolean {
  // `@Allow()` alone says that anything may come.
  return (
    designType === Array &&
    !rules.has('whitelistValidation') &&
    [...rules].every(([name, all]) => LIST_RULES.has(name) && !all.some(({ each }) => each))
  );
}
