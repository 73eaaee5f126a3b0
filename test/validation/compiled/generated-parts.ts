import { Exclude, Expose, Transform } from 'class-transformer';
import * as cv from 'class-validator';

export const MESSAGES: readonly cv.ValidationOptions['message'][] = [
  undefined,
  'static',
  '$property of $target holds $value where $constraint1, $constraint2 stand',
  ({ property, targetName, value, constraints, object }) =>
    `${property} ${targetName} ${typeof value} ${constraints?.length ?? 0} ${Object.keys(object).join()} $property`,
];
export const DESIGN_TYPES = [undefined, String, Number, Boolean, Array, Set, Map, Object, Date];

/** Decorators of an application's own, some of which answer later. */
export const CUSTOM: readonly ((target: object, propertyName: string) => void)[] = [
  (target, propertyName) =>
    cv.registerDecorator({
      name: 'later',
      target: target.constructor,
      propertyName,
      async: true,
      constraints: [1],
      options: { context: { later: true } },
      validator: {
        validate: (value) => Promise.resolve(typeof value === 'string'),
        defaultMessage: (args) => `${args?.property ?? ''} is no text, later`,
      },
    }),
  (target, propertyName) =>
    cv.registerDecorator({
      name: 'someLater',
      target: target.constructor,
      propertyName,
      options: { each: true, message: '$property says $value' },
      validator: {
        validate: (value) => (value === 'a' ? true : value === 'b' ? Promise.resolve(false) : value !== 1),
      },
    }),
  (target, propertyName) =>
    cv.registerDecorator({
      name: 'siblings',
      target: target.constructor,
      propertyName,
      validator: { validate: (_, args) => Object.keys(args?.object ?? {}).length % 2 === 0 },
    }),
  (target, propertyName) =>
    cv.registerDecorator({
      name: cv.ValidationTypes.IS_DEFINED,
      target: target.constructor,
      propertyName,
      validator: { validate: (value) => (value === 'boom' ? failing() : 1) as unknown as boolean },
    }),
  (target, propertyName) => cv.ValidatePromise()(target, propertyName),
  (target, propertyName) => cv.Allow()(target, propertyName),
];

export const TRANSFORMS: readonly ((target: object, propertyName: string) => void)[] = [
  Transform(({ value }) => (typeof value === 'string' ? `${value}!` : (value as unknown))),
  Transform(({ value, key, obj, type, options }) =>
    typeof value === 'number'
      ? `${key} ${Object.keys(obj as object).join()} ${type} ${JSON.stringify(options)}`
      : (value as unknown),
  ),
  Transform(({ value }) => (value === 'dog' ? failing() : (value as unknown)), { toClassOnly: true }),
  Transform(() => 'in a group', { groups: ['g'] }),
  Transform(() => 'to plain', { toPlainOnly: true }),
  Transform(({ value }) => (Array.isArray(value) ? new Set<unknown>(value) : (value as unknown))),
  Transform(({ value }) => (value === 'a' ? Promise.resolve('held') : (value as unknown))),
];

function failing(): never {
  throw new TypeError('on purpose');
}

export const EXPOSURES: readonly (((target: object, propertyName: string) => void) | undefined)[] = [
  Expose(),
  Expose({ name: 'a' }),
  Expose({ name: 'wire' }),
  Expose({ groups: ['g'] }),
  Expose({ toPlainOnly: true, name: 'b' }),
  Expose({ toClassOnly: true }),
  Exclude(),
  Exclude({ toClassOnly: true }),
  Exclude({ toPlainOnly: true }),
];
