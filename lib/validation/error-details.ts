import type { ValidationError } from 'class-validator';

import { type ErrorDetail, SecurityError } from '../errors/security-error.js';
import { type DtoClass, isDtoClass, shapeOf } from './dto-shape.js';

const MAX_NAME = 64;
const MAX_MESSAGE = 256;

/** Details with a cap, so that a hostile request cannot make a long answer (R-IV-28). */
export class DetailList {
  readonly unexpected: ErrorDetail[] = [];
  readonly broken: ErrorDetail[] = [];

  constructor(private readonly max: number) {}

  /** Whether more would be left out. */
  get full(): boolean {
    return this.unexpected.length >= this.max;
  }

  addUnexpected(path: ValuePath | undefined): void {
    if (this.unexpected.length >= this.max) return;
    this.unexpected.push({ path: pathText(path), rule: 'whitelist', message: 'This field is not known here' });
  }

  addBroken(path: ValuePath | undefined, rule: string, message: string): void {
    if (this.broken.length >= this.max) return;
    this.broken.push({ path: pathText(path), rule, message: message.slice(0, MAX_MESSAGE) });
  }

  /** @throws SecurityError if anything was added; unknown fields before broken rules */
  throwIfAny(): void {
    if (this.unexpected.length > 0) {
      throw new SecurityError('UNEXPECTED_FIELDS', 'Unexpected fields in request', {
        details: this.unexpected,
      });
    }
    if (this.broken.length > 0)
      throw new SecurityError('VALIDATION_FAILED', 'Validation failed', { details: this.broken });
  }
}

/** Where a value stands: its name in what is around it. Spelled out only when there is something to say about it. */
export interface ValuePath {
  readonly parent: ValuePath | undefined;
  readonly name: string | number;
}

/** `items`, `2` and `sku` as `items[2].sku`; names that the client made up are shortened to what is safe to show. */
export function pathText(path: ValuePath | undefined): string {
  return path === undefined ? '' : joinPath(pathText(path.parent), path.name);
}

function joinPath(parent: string, name: string | number): string {
  if (typeof name === 'number') return `${parent}[${name}]`;
  const safe = name.slice(0, MAX_NAME).replaceAll(/[^\w$-]/g, '?');
  return parent === '' ? safe : `${parent}.${safe}`;
}

/** Adds class-validator's errors: in the order of declaration, rules of one property by name. */
export function addValidationErrors(
  errors: readonly ValidationError[],
  dto: DtoClass | undefined,
  parent: ValuePath | undefined,
  list: DetailList,
): void {
  const shape = dto && shapeOf(dto);
  const rank = new Map(shape?.order.map((name, index) => [name, index]));
  const sorted = errors.toSorted((a, b) => rankOf(rank, a) - rankOf(rank, b));
  for (const { property, constraints = {}, children = [] } of sorted) {
    const isIndex = /^\d{1,9}$/.test(property);
    const path = { parent, name: isIndex && parent !== undefined ? Number(property) : property };
    for (const rule of Object.keys(constraints).toSorted()) {
      if (rule === 'whitelistValidation') list.addUnexpected(path);
      else list.addBroken(path, rule, constraints[rule]!);
    }
    const nested = isIndex ? dto : shape?.properties.get(property)?.nested;
    addValidationErrors(children, isDtoClass(nested) ? nested : undefined, path, list);
  }
}

function rankOf(rank: ReadonlyMap<string, number>, { property }: ValidationError): number {
  return rank.get(property) ?? (/^\d{1,9}$/.test(property) ? Number(property) : Number.MAX_SAFE_INTEGER);
}
