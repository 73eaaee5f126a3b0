export type { SelectionSize } from './document-shape.js';
export { GraphqlSecurityModule } from './graphql-security.module.js';
export type { GraphqlSecurityOptions } from './graphql-security.options.js';
export type { Complexity, ComplexityInput } from './operation-charges.js';
