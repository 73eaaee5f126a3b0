import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';

/** Where an input comes from. */
export type InputSource = 'body' | 'query' | 'path';

/** A parameter of a handler, as Nest's decorators describe it. */
export interface RouteArgument {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly schema?: unknown;
  /** Of a decorator made with `createParamDecorator()`. */
  readonly factory?: unknown;
}

/** Keys of `ROUTE_ARGS_METADATA` begin with these numbers (Nest's `RouteParamtypes`). */
const SOURCES: Readonly<Record<string, InputSource>> = { '3': 'body', '4': 'query', '5': 'path' };
const WHOLE_REQUEST = '0';
/** The body as bytes. */
const RAW_BODY = '12';

/** All parameters of a handler that a decorator fills. */
export function routeArguments(controller: object, methodName: string | symbol): [string, RouteArgument][] {
  const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, methodName) as
    | Record<string, RouteArgument>
    | undefined;
  return Object.entries(args ?? {});
}

/** What a parameter with this key takes, if it takes input by itself. */
export function sourceOf(key: string): InputSource | undefined {
  return SOURCES[kindOf(key)];
}

export const isWholeRequest = (key: string): boolean => kindOf(key) === WHOLE_REQUEST;
export const isRawBody = (key: string): boolean => kindOf(key) === RAW_BODY;

function kindOf(key: string): string {
  return key.split(':', 1)[0]!;
}
