import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { HttpException } from '@nestjs/common';
import { type SecurityError, StrictValidationPipe } from 'nestjs-api-security';

type Detail = NonNullable<SecurityError['extras']['details']>[number];

/** What a pipe says to a value. */
export interface Verdict {
  /** 200 for what it lets pass, 500 for what is no HTTP exception. */
  readonly status: number;
  readonly code: string | undefined;
  readonly details: readonly Detail[];
  /** `path rule` of each detail. */
  readonly broken: readonly string[];
  readonly value: unknown;
}

export const strict = new StrictValidationPipe();

export const bodyOf = (metatype: unknown, data?: string): ArgumentMetadata =>
  argument('body', metatype, data);
export const queryOf = (metatype: unknown, data?: string): ArgumentMetadata =>
  argument('query', metatype, data);
export const paramOf = (metatype: unknown, data?: string): ArgumentMetadata =>
  argument('param', metatype, data);

function argument(
  type: ArgumentMetadata['type'],
  metatype: unknown,
  data: string | undefined,
): ArgumentMetadata {
  return { type, metatype: metatype as never, data };
}

/** Runs a pipe and tells its verdict, whatever it is. */
export async function verdictOf(
  pipe: PipeTransform,
  value: unknown,
  metadata: ArgumentMetadata,
): Promise<Verdict> {
  try {
    const passed: unknown = await pipe.transform(value, metadata);
    return { status: 200, code: undefined, details: [], broken: [], value: passed };
  } catch (error) {
    if (!(error instanceof HttpException))
      return { status: 500, code: undefined, details: [], broken: [], value: error };
    const { code, extras } = error as Partial<SecurityError>;
    const details = extras?.details ?? [];
    const broken = details.map(({ path, rule }) => `${path} ${rule}`);
    return { status: error.getStatus(), code, details, broken, value: undefined };
  }
}

/** JSON text as a body parser hands it over, `__proto__` as an own key included. */
export const json = (text: string): unknown => JSON.parse(text);

/** Arrays in arrays. */
export function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}
