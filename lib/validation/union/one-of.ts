import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';

import { groupClass } from '../derived/group-class.js';
import { Findings } from '../details.js';
import { missingBody } from '../dto-validator.js';
import { type InputPath, member } from '../input-path.js';
import { type PipeOptions, PipeSettings } from '../pipe-settings.js';
import type { DtoClass } from '../transformer-storage.js';
import { isPlainObject } from '../unexpected-fields.js';
import { discriminate, type Discrimination } from './discriminator.js';

/** Options of {@link oneOf}; what is left out is as the application's `validation` says. */
export type OneOfOptions = PipeOptions;

/**
 * A pipe for a body of one of several classes, told apart by a property that each of them declares with values of its own:
 * by `@Equals('cat')`, `@IsIn(['cat', 'lion'])` or `@IsEnum()`. TypeScript leaves nothing of `CatDto | DogDto` at run time
 * (R-IV-10). A value of no class, or none at all, breaks the rule `discriminator`; the boot refuses classes that cannot be told apart.
 *
 * @example
 * create(@Body(oneOf([CatDto, DogDto], 'kind')) pet: CatDto | DogDto) { … }
 * @example
 * createAll(@Body(arrayOf(oneOf([CatDto, DogDto], 'kind'))) pets: (CatDto | DogDto)[]) { … }
 */
export function oneOf(
  types: readonly [Type<object>, Type<object>, ...Type<object>[]],
  discriminator: string,
  options: OneOfOptions = {},
): OneOfPipe {
  return new OneOfPipe(types, discriminator, options);
}

/** What {@link oneOf} makes. */
export class OneOfPipe implements PipeTransform {
  readonly #settings: PipeSettings;
  #discrimination: Discrimination | undefined;

  /** @internal */
  constructor(
    readonly types: readonly DtoClass[],
    readonly discriminator: string,
    private readonly options: OneOfOptions,
  ) {
    this.#settings = new PipeSettings(options);
  }

  /** @internal See {@link PipeSettings.adopt}. */
  adopt(application: PipeOptions): void {
    this.#settings.adopt(application);
  }

  /** @internal The class of each value of the discriminator. */
  get classes(): ReadonlyMap<unknown, DtoClass> {
    return this.#told.classes;
  }

  /** @internal Why the classes cannot be told apart, if they cannot. */
  get fault(): string | undefined {
    return this.#told.fault;
  }

  /** @internal The same, which may adopt other options. */
  copy(): OneOfPipe {
    return new OneOfPipe(this.types, this.discriminator, this.options);
  }

  /** @internal The same for the rules of some groups. */
  inGroups(groups: readonly string[]): OneOfPipe {
    const types = this.types.map((type) => groupClass(type, groups));
    return new OneOfPipe(types, this.discriminator, this.options);
  }

  transform(value: unknown, { type, data }: ArgumentMetadata): object | Promise<object> | undefined {
    if (value === undefined && data !== undefined) return undefined;
    if (type === 'body' && data === undefined && (value === undefined || value === null)) throw missingBody();
    return this.at(
      type === 'body' ? value : null,
      data === undefined ? undefined : member(undefined, data, 0),
    );
  }

  /** @internal The instance that a value at some place describes. */
  at(value: unknown, path: InputPath | undefined): object | Promise<object> {
    const { classes, values } = this.#told;
    // What is no object is none of any class.
    if (!isPlainObject(value)) return this.#settings.dtos.body(value, this.types[0]!, path);
    const kind = Object.hasOwn(value, this.discriminator)
      ? (value as Record<string, unknown>)[this.discriminator]
      : undefined;
    const dto = classes.get(kind);
    if (dto) return this.#settings.dtos.body(value, dto, path);
    const findings = new Findings(undefined);
    const message = `${this.discriminator} must be one of the following values: ${values}`;
    findings.addBroken(member(path, this.discriminator, 0), 'discriminator', message);
    throw findings.toError(this.#settings.details);
  }

  get #told(): Discrimination {
    return (this.#discrimination ??= discriminate(this.types, this.discriminator));
  }
}
