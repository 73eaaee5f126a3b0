import { classValidator } from './validation-packages.js';

/** The rule by which shapes know the property: as a rule it survives inheritance and mapped types. */
export const ANY_NAMES_RULE = 'anyNames';

/**
 * Lets the objects in a property that no class describes have any names but `__proto__`, `constructor` and `prototype`. Without it
 * names that begin with `$` or hold a dot are refused: to document databases they are operators and paths (R-IV-25).
 *
 * @example
 * @IsObject()
 * @AnyNames()
 * translations!: Record<string, unknown>; // { 'page.title': 'Orders' }
 */
export function AnyNames(): PropertyDecorator {
  return classValidator().ValidateBy({ name: ANY_NAMES_RULE, validator: { validate: () => true } });
}
