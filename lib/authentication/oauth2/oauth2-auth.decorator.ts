import { addPolicyMetadata, type PolicyDecorator } from '../../policy/metadata.js';

/**
 * Lets callers in with an OAuth 2.0 access token, by which a third party acts for a user.
 * Stacked with the other schemes' decorators, any one of them is enough. On a method it replaces the schemes of the controller,
 * whose scopes for the same scheme still apply.
 *
 * @param scopes every scope that the credential must carry; none: any valid credential of the scheme
 * @example
 * @OAuth2Auth('orders:read')
 * @Get()
 * list() { … }
 */
export const OAuth2Auth = (...scopes: string[]): PolicyDecorator =>
  addPolicyMetadata('schemes', { scheme: 'oauth2', scopes });
