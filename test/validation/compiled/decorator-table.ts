import * as cv from 'class-validator';

type Decorate = (options?: cv.ValidationOptions) => PropertyDecorator;

/** A decorator of class-validator with values that it lets pass and values that it does not. */
export interface DecoratorRow {
  readonly name: string;
  readonly decorate: Decorate;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

export enum Color {
  Red = 'red',
  Green = 'green',
}

export enum Level {
  Low,
  High,
}

export class Thing {
  size = 1;
}

@cv.ValidatorConstraint({ name: 'even' })
export class EvenConstraint implements cv.ValidatorConstraintInterface {
  validate(value: unknown, { constraints }: cv.ValidationArguments): boolean {
    return typeof value === 'number' && value % (Number(constraints?.[0]) || 2) === 0;
  }

  defaultMessage({ property, constraints }: cv.ValidationArguments): string {
    return `${property} is not even, says $target of ${constraints?.length ?? 0} ($constraint1)`;
  }
}

function row(
  name: string,
  decorate: Decorate,
  accepted: readonly unknown[],
  refused: readonly unknown[],
): DecoratorRow {
  return { name, decorate, accepted, refused };
}

const DAY = new Date('2020-01-01T00:00:00Z');
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';

export const DECORATORS: readonly DecoratorRow[] = [
  row('Allow', (o) => cv.Allow(o), ['x', null, undefined, {}], []),
  row('IsDefined', (o) => cv.IsDefined(o), ['', 0, false], [null, undefined]),
  row('IsOptional', (o) => cv.IsOptional(o), [null, undefined, 'x'], []),
  row('Equals', (o) => cv.Equals('x', o), ['x'], ['y', 1, undefined]),
  row('NotEquals', (o) => cv.NotEquals('x', o), ['y', undefined], ['x']),
  row('IsEmpty', (o) => cv.IsEmpty(o), ['', null, undefined], ['x', 0]),
  row('IsNotEmpty', (o) => cv.IsNotEmpty(o), ['x', 0], ['', null, undefined]),
  row('IsIn', (o) => cv.IsIn(['a', 1], o), ['a', 1], ['b', '1', null]),
  row('IsNotIn', (o) => cv.IsNotIn(['a', 1], o), ['b', null], ['a', 1]),
  row('Validate', (o) => cv.Validate(EvenConstraint, [4], o), [4, 8], [2, 'x', null]),
  row('ValidateBy', (o) => validateBy(o), ['custom', 'c'], ['x', 5, undefined]),
  row('ValidateIf', (o) => cv.ValidateIf((_, value) => value !== 'skip', o), ['skip', 'x'], []),
  row('ValidateNested', (o) => cv.ValidateNested(o), [undefined, []], ['x', 5, null, [1], {}]),
  row('ValidatePromise', (o) => cv.ValidatePromise(o), ['x', 1], []),

  row('IsBoolean', (o) => cv.IsBoolean(o), [true, false], ['true', 0]),
  row('IsDate', (o) => cv.IsDate(o), [DAY], ['2020-01-01', new Date('no')]),
  row('IsString', (o) => cv.IsString(o), ['', 'x'], [1, null, []]),
  row('IsNumber', (o) => cv.IsNumber({ maxDecimalPlaces: 2 }, o), [1, 1.25], [1.234, Number.NaN, '1']),
  row('IsInt', (o) => cv.IsInt(o), [1, -3], [1.5, '1', null]),
  row('IsEnum', (o) => cv.IsEnum(Color, o), ['red'], ['blue', 'Red', 0]),
  row('IsArray', (o) => cv.IsArray(o), [[], [1]], ['x', {}, null]),
  row('IsObject', (o) => cv.IsObject(o), [{}, { a: 1 }], [[], 'x', null]),
  row('IsNotEmptyObject', (o) => cv.IsNotEmptyObject({}, o), [{ a: 1 }], [{}, 'x', null]),
  row('IsInstance', (o) => cv.IsInstance(Thing, o), [new Thing()], [{}, 'x', null]),

  row('ArrayContains', (o) => cv.ArrayContains(['a'], o), [['a', 'b']], [['b'], 'a', null]),
  row('ArrayNotContains', (o) => cv.ArrayNotContains(['a'], o), [['b'], []], [['a'], null]),
  row('ArrayNotEmpty', (o) => cv.ArrayNotEmpty(o), [[1]], [[], 'x', null]),
  row('ArrayMinSize', (o) => cv.ArrayMinSize(2, o), [[1, 2]], [[1], null]),
  row('ArrayMaxSize', (o) => cv.ArrayMaxSize(2, o), [[1, 2]], [[1, 2, 3], null]),
  row('ArrayUnique', (o) => cv.ArrayUnique(undefined, o), [[1, 2]], [[1, 1], null]),

  row('IsDivisibleBy', (o) => cv.IsDivisibleBy(3, o), [9, 0], [10, 'x']),
  row('IsPositive', (o) => cv.IsPositive(o), [1], [0, -1, '1']),
  row('IsNegative', (o) => cv.IsNegative(o), [-1], [0, 1, '-1']),
  row('Min', (o) => cv.Min(3, o), [3, 4], [2, '4', null]),
  row('Max', (o) => cv.Max(3, o), [3, 2], [4, '2', null]),
  row('MinDate', (o) => cv.MinDate(DAY, o), [new Date('2021-01-01')], [new Date('2019-01-01'), 'x']),
  row('MaxDate', (o) => cv.MaxDate(() => DAY, o), [new Date('2019-01-01')], [new Date('2021-01-01'), 'x']),

  row('Length', (o) => cv.Length(2, 4, o), ['ab', 'abcd'], ['a', 'abcde', 3]),
  row('MinLength', (o) => cv.MinLength(2, o), ['ab'], ['a', 22]),
  row('MaxLength', (o) => cv.MaxLength(2, o), ['ab', ''], ['abc', 2]),
  row('Matches', (o) => cv.Matches(/^a+$/, o), ['aaa'], ['b', '', 5]),
  row('Contains', (o) => cv.Contains('a$&', o), ['xa$&y'], ['xay', 5]),
  row('NotContains', (o) => cv.NotContains('a', o), ['b'], ['ab', 5]),
  row('IsByteLength', (o) => cv.IsByteLength(2, 4, o), ['ab', 'éé'], ['a', 'ééé', 3]),
  row('IsAlpha', (o) => cv.IsAlpha('en-US', o), ['abc'], ['a1', 5]),
  row('IsAlphanumeric', (o) => cv.IsAlphanumeric('en-US', o), ['a1'], ['a-', 5]),
  row('IsAscii', (o) => cv.IsAscii(o), ['abc'], ['é', 5]),
  row('IsLowercase', (o) => cv.IsLowercase(o), ['abc'], ['aBc', 5]),
  row('IsUppercase', (o) => cv.IsUppercase(o), ['ABC'], ['AbC', 5]),
  row('IsFullWidth', (o) => cv.IsFullWidth(o), ['ひらがな'], ['abc', 5]),
  row('IsHalfWidth', (o) => cv.IsHalfWidth(o), ['abc'], ['ひらがな', 5]),
  row('IsVariableWidth', (o) => cv.IsVariableWidth(o), ['abcひ'], ['abc', 5]),
  row('IsMultibyte', (o) => cv.IsMultibyte(o), ['ひ'], ['abc', 5]),
  row('IsSurrogatePair', (o) => cv.IsSurrogatePair(o), ['𠮷'], ['abc', 5]),

  row('IsBooleanString', (o) => cv.IsBooleanString(o), ['true', '0'], ['yes', true]),
  row('IsNumberString', (o) => cv.IsNumberString({}, o), ['12', '1.5'], ['a', 12]),
  row('IsDecimal', (o) => cv.IsDecimal({}, o), ['1.5'], ['a', 1.5]),
  row('IsOctal', (o) => cv.IsOctal(o), ['0o17'], ['9', 5]),
  row('IsHexadecimal', (o) => cv.IsHexadecimal(o), ['ff0'], ['xyz', 5]),
  row('IsBase32', (o) => cv.IsBase32(o), ['ZG5JA==='], ['1', 5]),
  row('IsBase58', (o) => cv.IsBase58(o), ['3KMUV89zab'], ['0OIl', 5]),
  row('IsBase64', (o) => cv.IsBase64({}, o), ['Zm9v'], ['Zm9', 5]),
  row('IsDataURI', (o) => cv.IsDataURI(o), ['data:text/plain;base64,Zm9v'], ['text', 5]),
  row('IsMimeType', (o) => cv.IsMimeType(o), ['text/plain'], ['text', 5]),
  row('IsJSON', (o) => cv.IsJSON(o), ['{"a":1}'], ['{a', 5]),
  row('IsJWT', (o) => cv.IsJWT(o), [JWT], ['a.b', 5]),
  row('IsHash', (o) => cv.IsHash('md5', o), ['d41d8cd98f00b204e9800998ecf8427e'], ['d41d', 5]),
  row('IsMongoId', (o) => cv.IsMongoId(o), ['507f1f77bcf86cd799439011'], ['507f', 5]),
  row('IsFirebasePushId', (o) => cv.IsFirebasePushId(o), ['-M-Jh_1KAH7fqnwkOq0A'], ['x', 5]),
  row('IsSemVer', (o) => cv.IsSemVer(o), ['1.2.3-rc.1'], ['1.2', 5]),
  row('IsStrongPassword', (o) => cv.IsStrongPassword({}, o), ['Abcdef1!'], ['abc', 5]),
  row('IsUUID', (o) => cv.IsUUID('4', o), ['8c1f5b0e-3b1a-4c1e-9d7a-2f6b8a9c0d1e'], ['8c1f', 5, null]),

  row('IsEmail', (o) => cv.IsEmail({}, o), ['a@example.com'], ['a@', 5, null]),
  row('IsUrl', (o) => cv.IsUrl({}, o), ['https://example.com/a'], ['example', 5]),
  row('IsFQDN', (o) => cv.IsFQDN({}, o), ['example.com'], ['example', 5]),
  row('IsIP', (o) => cv.IsIP('4', o), ['127.0.0.1'], ['::1', 5]),
  row('IsPort', (o) => cv.IsPort(o), ['80'], ['70000', 80]),
  row('IsMACAddress', (o) => cv.IsMACAddress({}, o), ['01:02:03:04:05:ab'], ['01:02', 5]),
  row('IsMagnetURI', (o) => cv.IsMagnetURI(o), [`magnet:?xt=urn:btih:${'a'.repeat(40)}`], ['magnet:', 5]),

  row('IsISO8601', (o) => cv.IsISO8601({ strict: true }, o), ['2020-02-29'], ['2021-02-30', 5]),
  row('IsDateString', (o) => cv.IsDateString({}, o), ['2020-01-01T00:00:00Z'], ['x', 5]),
  row('IsRFC3339', (o) => cv.IsRFC3339(o), ['2020-01-01T00:00:00Z'], ['2020-01-01', 5]),
  row('IsMilitaryTime', (o) => cv.IsMilitaryTime(o), ['23:59'], ['24:00', 5]),
  row('IsTimeZone', (o) => cv.IsTimeZone(o), ['Europe/Berlin'], ['Nowhere', 5]),

  row('IsLatLong', (o) => cv.IsLatLong(o), ['27.6,-12.4'], ['x', 5]),
  row('IsLatitude', (o) => cv.IsLatitude(o), ['27.6', 27.6], ['97', 'x']),
  row('IsLongitude', (o) => cv.IsLongitude(o), ['127.6', 127.6], ['197', 'x']),
  row('IsLocale', (o) => cv.IsLocale(o), ['en-US'], ['123_', 5]),
  row('IsPostalCode', (o) => cv.IsPostalCode('DE', o), ['10115'], ['1', 5]),
  row('IsISO31661Alpha2', (o) => cv.IsISO31661Alpha2(o), ['DE'], ['XX', 5]),
  row('IsISO31661Alpha3', (o) => cv.IsISO31661Alpha3(o), ['DEU'], ['XXX', 5]),
  row('IsISO31661Numeric', (o) => cv.IsISO31661Numeric(o), ['276'], ['000', 5]),
  row('IsISO6391', (o) => cv.IsISO6391(o), ['de'], ['xx', 5]),

  row('IsCurrency', (o) => cv.IsCurrency({}, o), ['$1,000.00'], ['x', 5]),
  row('IsISO4217CurrencyCode', (o) => cv.IsISO4217CurrencyCode(o), ['EUR'], ['XYZ', 5]),
  row('IsCreditCard', (o) => cv.IsCreditCard(o), ['4111111111111111'], ['4111', 5]),
  row('IsIBAN', (o) => cv.IsIBAN({}, o), ['DE89370400440532013000'], ['DE00', 5]),
  row('IsBIC', (o) => cv.IsBIC(o), ['DEUTDEFF'], ['DE', 5]),
  row('IsBtcAddress', (o) => cv.IsBtcAddress(o), ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'], ['1B', 5]),
  row('IsEthereumAddress', (o) => cv.IsEthereumAddress(o), [`0x${'0'.repeat(40)}`], ['0x', 5]),
  row('IsEAN', (o) => cv.IsEAN(o), ['73513537'], ['1', 5]),
  row('IsISBN', (o) => cv.IsISBN('13', o), ['978-3-16-148410-0'], ['978', 5]),
  row('IsISIN', (o) => cv.IsISIN(o), ['US0378331005'], ['US', 5]),
  row('IsISSN', (o) => cv.IsISSN({}, o), ['2049-3630'], ['2049', 5]),
  row('IsISRC', (o) => cv.IsISRC(o), ['USAT29900609'], ['US', 5]),
  row('IsTaxId', (o) => cv.IsTaxId('de-DE', o), ['26954371827'], ['1', 5]),
  row('IsIdentityCard', (o) => cv.IsIdentityCard('ES', o), ['99999999R'], ['x', 5]),
  row('IsPassportNumber', (o) => cv.IsPassportNumber('DE', o), ['C01X00T47'], ['x', 5]),
  row('IsMobilePhone', (o) => cv.IsMobilePhone('de-DE', {}, o), ['+4915123456789'], ['1', 5]),
  row('IsPhoneNumber', (o) => cv.IsPhoneNumber('DE', o), ['+4930123456'], ['1', 5]),

  row('IsHexColor', (o) => cv.IsHexColor(o), ['#ff0000'], ['red', 5]),
  row('IsRgbColor', (o) => cv.IsRgbColor(true, o), ['rgb(1,2,3)'], ['red', 5]),
  row('IsHSL', (o) => cv.IsHSL(o), ['hsl(360,100%,50%)'], ['red', 5]),
];

function validateBy(options?: cv.ValidationOptions): PropertyDecorator {
  return cv.ValidateBy(
    {
      name: 'startsWithC',
      constraints: ['c', [1, 2], Symbol('s')],
      validator: {
        validate: (value, args) =>
          typeof value === 'string' && value.startsWith(args?.constraints[0] as string),
        defaultMessage: cv.buildMessage(
          (each, args) =>
            `${each}$property of ${args?.targetName} is no $constraint1, $constraint2, $constraint3`,
          options,
        ),
      },
    },
    options,
  );
}
