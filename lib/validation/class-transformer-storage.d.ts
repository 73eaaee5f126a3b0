/** The package's own registry; it has no types and no export in the index. */
declare module 'class-transformer/cjs/storage.js' {
  export const defaultMetadataStorage: {
    findTypeMetadata(target: unknown, property: string): { typeFunction(): unknown } | undefined;
    findTransformMetadatas(target: unknown, property: string, type: number): readonly unknown[];
    getExposedMetadatas(target: unknown): readonly unknown[];
    getExcludedMetadatas(target: unknown): readonly unknown[];
    getStrategy(target: unknown): string;
    findExposeMetadata(target: unknown, property: string): { options: { name?: string } } | undefined;
  };
}
