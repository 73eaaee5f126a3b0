import type { ValidationOptions as RuleOptions } from 'class-validator';

import { classValidator } from '../validation-packages.js';

export type { ValidationOptions as RuleOptions } from 'class-validator';

const names = new Set<string>();

/** @internal Whether a rule is one about texts, so that shapes know what a list of them holds. */
export function isTextRule(name: string): boolean {
  return names.has(name);
}

/**
 * One of class-validator's rules made of a function about texts: what is no text breaks it.
 *
 * @param name under which a broken rule is told, such as `isRfc3339`
 * @param holds whether a text keeps the rule; it has to look at the length before anything else (R-IV-16)
 * @param says how the message goes on behind the property's name; never holds the value
 */
export function textRule(
  name: string,
  holds: (text: string) => boolean,
  says: string,
  options: RuleOptions | undefined,
): PropertyDecorator {
  names.add(name);
  const { ValidateBy, buildMessage } = classValidator();
  return ValidateBy(
    {
      name,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && holds(value),
        defaultMessage: buildMessage((eachPrefix) => `${eachPrefix}$property ${says}`, options),
      },
    },
    options,
  );
}
