import { addPolicyMetadata, type PolicyDecorator } from '../../policy/metadata.js';

/**
 * Lets callers in with a JWT of the application's own users (`Authorization: Bearer …`).
 * Stacked with the other schemes' decorators, any one of them is enough. On a method it replaces the schemes of the controller,
 * whose scopes for the same scheme still apply.
 *
 * @param scopes every scope that the credential must carry; none: any valid credential of the scheme
 * @example
 * @JwtAuth('orders:read')
 * @Get()
 * list() { … }
 */
export const JwtAuth = (...scopes: string[]): PolicyDecorator =>
  addPolicyMetadata('schemes', { scheme: 'jwt', scopes });
