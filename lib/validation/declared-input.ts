import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { CompiledRoute } from '../policy/policy-compiler.js';
import { type DtoClass, isDtoClass, type PropertyShape, shapeOf } from './dto-shape.js';

/** A parameter of a handler that takes input. */
export interface HandlerInput {
  readonly source: 'body' | 'query' | 'path';
  readonly index: number;
  /** Name of the one value that is taken; undefined for the whole object. */
  readonly name: string | undefined;
  readonly type: unknown;
  /** A pipe or schema of its own judges the value. */
  readonly hasOwnCheck: boolean;
}

interface RouteArgument {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly schema?: unknown;
}

/** Keys of `ROUTE_ARGS_METADATA` begin with these numbers (Nest's `RouteParamtypes`). */
const SOURCES: Readonly<Record<string, HandlerInput['source']>> = { '3': 'body', '4': 'query', '5': 'path' };
const WHOLE_REQUEST = '0';

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
  return argumentsOf(metadata, methodName).flatMap(([key, { index, data, pipes = [], schema }]) => {
    const source = SOURCES[key.split(':', 1)[0]!];
    if (source === undefined) return [];
    const name = typeof data === 'string' && data !== '' ? data : undefined;
    return [
      { source, index, name, type: types[index], hasOwnCheck: pipes.length > 0 || schema !== undefined },
    ];
  });
}

/** Whether a handler takes a body: by `@Body()`, or by taking the whole request. */
export function takesBody(metadata: RouteMetadata, methodName: string): boolean {
  return argumentsOf(metadata, methodName).some(
    ([key]) => key.startsWith('3:') || key.startsWith(`${WHOLE_REQUEST}:`),
  );
}

/** The query parameters of a handler that takes them one by one; a DTO knows its own, and a whole request anything. */
export function queryNames(metadata: RouteMetadata, methodName: string): ReadonlySet<string> | undefined {
  if (argumentsOf(metadata, methodName).some(([key]) => key.startsWith(`${WHOLE_REQUEST}:`)))
    return undefined;
  const queries = inputsOf(metadata, methodName).filter(({ source }) => source === 'query');
  const names = queries.map(({ name }) => name).filter((name) => name !== undefined);
  return names.length > 0 && names.length === queries.length ? new Set(names) : undefined;
}

const PRIMITIVES: ReadonlySet<unknown> = new Set([String, Number, Boolean]);
const FIX_WHOLE = 'name a class with class-validator rules, or use arrayOf(ItemDto) for a list';

/** Reports inputs that nothing could validate (R-IV-10): at run time TypeScript leaves `Object` of them, and anything passes. */
export function checkDeclaredInputs(
  { metadata, methodName, where }: CompiledRoute,
  problems: ConfigurationProblems,
): void {
  for (const input of inputsOf(metadata, methodName)) {
    const at = `${where}, parameter ${input.index + 1} (${input.source})`;
    if (input.hasOwnCheck) continue;
    if (isDtoClass(input.type) && input.type.name !== '') checkDto(input.type, at, problems, new Set());
    else if (input.name === undefined) {
      problems.add(
        'validation.undeclared',
        at,
        `has a type that cannot be validated (${nameOf(input.type)})`,
        FIX_WHOLE,
      );
    } else if (!PRIMITIVES.has(input.type)) {
      problems.add(
        'validation.undeclared',
        at,
        `has a type that cannot be validated (${nameOf(input.type)})`,
        'declare string, number or boolean, a class, or give it a pipe',
      );
    }
  }
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name || 'erased' : 'erased';
}

function checkDto(dto: DtoClass, at: string, problems: ConfigurationProblems, seen: Set<DtoClass>): void {
  if (seen.has(dto)) return;
  seen.add(dto);
  const { properties } = shapeOf(dto);
  if (properties.size === 0) {
    problems.add(
      'validation.no-rules',
      at,
      `takes ${dto.name}, which has no rules`,
      'decorate its properties, or import it as a value and not with `import type`',
    );
  }
  for (const property of properties.values()) {
    const where = `${at}: ${dto.name}.${property.name}`;
    checkNested(property, where, problems);
    if (property.nested) checkDto(property.nested, at, problems, seen);
  }
}

function checkNested(
  { nested, isValidatedNested, designType, isArray }: PropertyShape,
  where: string,
  problems: ConfigurationProblems,
): void {
  if (isValidatedNested && !nested) {
    problems.add(
      'validation.nested.type',
      where,
      'has @ValidateNested() but no class',
      'add @Type(() => ItemDto)',
    );
  } else if (
    !isValidatedNested &&
    !isArray &&
    isDtoClass(designType) &&
    shapeOf(designType).properties.size > 0
  ) {
    problems.add(
      'validation.nested.unvalidated',
      where,
      'holds a class whose rules are never asked',
      'add @ValidateNested() and @Type(() => …)',
    );
  }
}
