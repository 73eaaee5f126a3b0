import { addPolicyMetadata, type PolicyDecorator } from '../policy/metadata.js';

/**
 * Demands one of the given roles; stacked, one role of each decorator. With no role at all it lets nobody in (R-AZ-01).
 *
 * @example
 * @RequireRoles('admin', 'support')   // either
 */
export const RequireRoles = (...anyOf: string[]): PolicyDecorator => addPolicyMetadata('roles', anyOf);
