import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';

import { groupClass } from './derived/group-class.js';
import { Findings } from './details.js';
import { missingBody } from './dto-validator.js';
import { type InputPath, item, member } from './input-path.js';
import { isDtoClass } from './property-shape.js';
import { type PipeOptions, PipeSettings } from './pipe-settings.js';
import { convertText } from './text-conversion.js';
import type { DtoClass } from './transformer-storage.js';
import { OneOfPipe } from './union/one-of.js';
import { detailOptions } from './validation.options.js';
import { dateOf, isOfKind, kindOfConstructor, type ValueKind } from './value-kinds.js';
import { addWrongKind } from './wrong-values.js';

const MAX_ITEMS = 1_000;

/** A class with rules, several told apart by `oneOf()`, or one of the types that a single value may have. */
export type ItemType =
  | Type<object>
  | StringConstructor
  | NumberConstructor
  | BooleanConstructor
  | DateConstructor
  | OneOfPipe;

/** Options of {@link arrayOf}; what is left out is as the application's `validation` says. */
export interface ArrayOfOptions extends PipeOptions {
  /** Most items; 1 000 by default. */
  readonly maxItems?: number;
}

/**
 * A pipe for a list: TypeScript leaves nothing of `ItemDto[]` but `Array` at run time, so what it holds has to be named
 * (R-IV-10, PITFALL V2). A query parameter may come once or several times; it becomes a list either way.
 *
 * @param type class of the items, `oneOf()` several, or `String`, `Number`, `Boolean`, `Date`
 * @example
 * create(@Body(arrayOf(ItemDto)) items: ItemDto[]) { … }
 * @example
 * list(@Query('id', arrayOf(Number, { maxItems: 50 })) ids: number[] = []) { … }
 */
export function arrayOf(type: ItemType, options: ArrayOfOptions = {}): PipeTransform {
  return new ArrayOfPipe(type, options);
}

/** @internal Tells the check at boot what the items are. */
export class ArrayOfPipe implements PipeTransform {
  readonly #settings: PipeSettings;
  readonly type: ItemType;
  readonly maxItems: number;

  constructor(
    type: ItemType,
    private readonly given: ArrayOfOptions,
  ) {
    // A union that is used elsewhere too goes on as it is there.
    this.type = type instanceof OneOfPipe ? type.copy() : type;
    this.#settings = new PipeSettings(given);
    this.maxItems = given.maxItems ?? MAX_ITEMS;
    this.adopt({});
  }

  /** @internal See {@link PipeSettings.adopt}; a union in the list adopts the list's options first. */
  adopt(application: PipeOptions): void {
    this.#settings.adopt(application);
    if (this.type instanceof OneOfPipe) this.type.adopt(detailOptions(this.given, application));
  }

  async transform(value: unknown, { type, data }: ArgumentMetadata): Promise<unknown> {
    if (value === undefined && data !== undefined) return undefined;
    if (type === 'body' && (value === undefined || value === null)) throw missingBody();
    const path = data === undefined ? undefined : member(undefined, data, 0);
    const items: unknown = type !== 'body' && typeof value === 'string' ? [value] : value;
    if (!Array.isArray(items)) throw this.#broken(path, 'isArray', `${data ?? 'The body'} must be an array`);
    // Their number before the items themselves (PITFALL V11).
    if (items.length > this.maxItems) {
      throw this.#broken(
        path,
        'arrayMaxSize',
        `${data ?? 'The body'} must contain no more than ${this.maxItems} elements`,
      );
    }
    const kind = kindOfConstructor(this.type);
    if (kind) return this.#singles(items, kind, type === 'body', path, data);
    const made: unknown[] = [];
    for (let i = 0; i < items.length; i++) {
      made.push(await this.#one(type === 'body' ? items[i] : null, item(path, i)));
    }
    return made;
  }

  /** @internal The same for the rules of some groups. */
  inGroups(groups: readonly string[]): ArrayOfPipe {
    const { type } = this;
    if (type instanceof OneOfPipe) return new ArrayOfPipe(type.inGroups(groups), this.given);
    if (!isDtoClass(type)) return this;
    return new ArrayOfPipe(groupClass(type, groups) as Type<object>, this.given);
  }

  #one(value: unknown, path: InputPath): object | Promise<object> {
    const { type } = this;
    return type instanceof OneOfPipe
      ? type.at(value, path)
      : this.#settings.dtos.body(value, type as DtoClass, path);
  }

  #singles(
    items: unknown[],
    kind: ValueKind,
    isBody: boolean,
    path: InputPath | undefined,
    data: string | undefined,
  ): unknown[] {
    const findings = new Findings(path);
    const named = { inputName: data ?? 'the body', integer: false };
    const made = items.map((one, index) => {
      const at = item(path, index);
      if (!isBody) return convertText(one, kind, named, at, findings);
      if (isOfKind(one, kind)) return kind === 'date' ? dateOf(one) : one;
      addWrongKind(at, named, kind as 'string', findings, true);
      return undefined;
    });
    if (!findings.none) throw findings.toError(this.#settings.details);
    return made;
  }

  #broken(path: InputPath | undefined, rule: string, message: string): Error {
    const findings = new Findings(undefined);
    findings.addBroken(path, rule, message);
    return findings.toError(this.#settings.details);
  }
}
