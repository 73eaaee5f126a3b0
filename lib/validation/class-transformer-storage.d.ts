/** The package's own registry; it has no types and no export in the index. */
declare module 'class-transformer/cjs/storage.js' {
  export const defaultMetadataStorage: {
    findTypeMetadata(target: unknown, property: string): { typeFunction(): unknown } | undefined;
    findExposeMetadata(target: unknown, property: string): { options: { name?: string } } | undefined;
  };
}
