import { addPolicyMetadata, type PolicyDecorator } from '../policy/metadata.js';

/**
 * Demands scopes, whatever the scheme: all of them, and those of the controller too (R-AZ-01).
 * With no scope at all it lets nobody in.
 */
export const RequireScopes = (...scopes: string[]): PolicyDecorator =>
  scopes.length === 0 ? addPolicyMetadata('roles', []) : addPolicyMetadata('scopes', scopes);
