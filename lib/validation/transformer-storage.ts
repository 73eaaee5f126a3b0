import { createRequire } from 'node:module';

import type { ClassTransformOptions, TransformFnParams } from 'class-transformer';

/** A class, as decorators and metadata know it. */
export type DtoClass = abstract new (...args: never[]) => object;

/** One sub-type of a discriminated property. */
export interface SubType {
  readonly name: string;
  readonly value: DtoClass;
}

/** What `@Type()` wrote for one property. */
export interface TypeMetadata {
  readonly reflectedType: unknown;
  readonly typeFunction?: (options: {
    newObject: unknown;
    object: unknown;
    property: string | undefined;
  }) => unknown;
  readonly options?: {
    readonly keepDiscriminatorProperty?: boolean;
    readonly discriminator?: { readonly property: string; readonly subTypes: readonly SubType[] };
  };
}

/** What `@Exclude()` wrote for one property, or for the class. */
export interface ExcludeMetadata {
  readonly propertyName: string | undefined;
  readonly options?: object;
}

/** What `@Expose()` wrote for one property, or for the class. */
export interface ExposeMetadata {
  readonly propertyName: string | undefined;
  readonly options?: {
    readonly name?: string;
    readonly toPlainOnly?: boolean;
    readonly toClassOnly?: boolean;
    readonly groups?: readonly string[];
  };
}

/** What `@Transform()` wrote for one property. */
export interface TransformMetadata {
  readonly transformFn: (params: TransformFnParams) => unknown;
  readonly options?: { readonly groups?: readonly string[] };
}

type ByProperty = ReadonlyMap<DtoClass, ReadonlyMap<string | undefined, unknown>>;

/** The part of class-transformer's metadata storage that shapes are made from. */
export interface TransformerStorage {
  /** Kept by the class that has the decorators itself. */
  readonly _typeMetadatas: ByProperty;
  readonly _transformMetadatas: ByProperty;
  findTypeMetadata(target: DtoClass, property: string): TypeMetadata | undefined;
  findTransformMetadatas(target: DtoClass, property: string, direction: number): readonly TransformMetadata[];
  findExposeMetadata(target: DtoClass, property: string): ExposeMetadata | undefined;
  findExposeMetadataByCustomName(target: DtoClass, name: string): ExposeMetadata | undefined;
  /** Those of properties, not that of the class. */
  getExposedMetadatas(target: DtoClass): readonly (ExposeMetadata & { readonly propertyName: string })[];
  getExcludedMetadatas(target: DtoClass): readonly unknown[];
  getExposedProperties(target: DtoClass, direction: number): readonly string[];
  getExcludedProperties(target: DtoClass, direction: number): readonly string[];
  findExcludeMetadata(target: DtoClass, property: string): ExcludeMetadata | undefined;
  addTypeMetadata(metadata: TypeMetadata & { target: DtoClass; propertyName: string }): void;
  addTransformMetadata(metadata: object & { target: DtoClass }): void;
  addExposeMetadata(metadata: ExposeMetadata & { target: DtoClass }): void;
  addExcludeMetadata(metadata: ExcludeMetadata & { target: DtoClass }): void;
  getStrategy(target: DtoClass): 'none' | 'exposeAll' | 'excludeAll';
}

/** `TransformationType.PLAIN_TO_CLASS`. */
export const PLAIN_TO_CLASS = 0;
/** `TransformationType.CLASS_TO_PLAIN`. */
export const CLASS_TO_PLAIN = 1;

// Neither has a public export. The package's main entry requires these very files, so these are the objects in use.
const require = createRequire(import.meta.url);
const storage = require('class-transformer/cjs/storage.js') as { defaultMetadataStorage: TransformerStorage };
const constants = require('class-transformer/cjs/constants/default-options.constant.js') as {
  defaultOptions: ClassTransformOptions;
};

export const transformerStorage: TransformerStorage = storage.defaultMetadataStorage;

/** The properties of a class, inherited ones included, that have `@Type()` or `@Transform()`. */
export function convertedNames(target: DtoClass): string[] {
  const names: (string | undefined)[] = [];
  const { _typeMetadatas: types, _transformMetadatas: transforms } = transformerStorage;
  for (let owner: object | null = target; owner; owner = Reflect.getPrototypeOf(owner)) {
    for (const known of [types, transforms]) names.push(...(known.get(owner as DtoClass)?.keys() ?? []));
  }
  return names.filter((name) => name !== undefined);
}

/** The options that class-transformer works with when it is given none. */
export const TRANSFORM_OPTIONS: Readonly<ClassTransformOptions> = Object.freeze({
  ...constants.defaultOptions,
});
