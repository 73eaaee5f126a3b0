import { createRequire } from 'node:module';

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
  readonly typeFunction?: (options: { newObject: unknown; object: unknown; property: string }) => unknown;
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
  };
}

/** The part of class-transformer's metadata storage that shapes are made from. */
export interface TransformerStorage {
  findTypeMetadata(target: DtoClass, property: string): TypeMetadata | undefined;
  findTransformMetadatas(
    target: DtoClass,
    property: string,
    direction: number,
  ): readonly { readonly transformFn: unknown }[];
  findExposeMetadata(target: DtoClass, property: string): ExposeMetadata | undefined;
  getExposedMetadatas(target: DtoClass): readonly ExposeMetadata[];
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

// The storage has no public export. The package's main entry requires this very file, so this is the instance in use.
const storage = createRequire(import.meta.url)('class-transformer/cjs/storage.js') as {
  defaultMetadataStorage: TransformerStorage;
};

export const transformerStorage: TransformerStorage = storage.defaultMetadataStorage;
