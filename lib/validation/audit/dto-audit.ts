import { documentedNames } from '../derived/documentation.js';
import { shapeOf } from '../dto-shape.js';
import type { PropertyShape, Rule } from '../property-shape.js';
import type { InputSource } from '../route-arguments.js';
import { type DtoClass, transformerStorage } from '../transformer-storage.js';
import { boundNumber, boundsText, saysWhatItIs } from './bounding-rules.js';
import { isClientSettable } from './client-settable.decorator.js';
import { isServerName } from './server-names.js';
import { isUnbounded } from './unbounded.decorator.js';

/** A property of an input class that takes more than it should. */
export interface AuditFinding {
  readonly dto: DtoClass;
  /** `CreateUserDto.name` */
  readonly where: string;
  readonly problem: string;
  readonly fix: string;
}

/** Goes through the classes of all inputs, each class once. */
export class DtoAudit {
  readonly #findings = new Map<DtoClass, Map<string, AuditFinding>>();
  readonly #seen = new Set<DtoClass>();
  /** Classes that came in a body: their names count too. */
  readonly #written = new Set<DtoClass>();

  /** In the order in which the classes were met, and their properties declared. */
  get findings(): readonly AuditFinding[] {
    return [...this.#findings.values()].flatMap((ofClass) => [...ofClass.values()]);
  }

  /** Looks at a class, and at those in it. */
  add(dto: DtoClass, source: InputSource): void {
    const isWritten = source === 'body';
    if (isWritten ? this.#written.has(dto) : this.#seen.has(dto)) return;
    this.#seen.add(dto);
    if (isWritten) this.#written.add(dto);
    const { byName } = shapeOf(dto);
    for (const property of byName.values()) {
      if (!isUnbounded(property)) this.#addAll(dto, property.name, looseEnds(property));
      if (isWritten && isServerName(property.name) && !isClientSettable(property))
        this.#addAll(dto, property.name, [SERVER_NAME]);
      for (const nested of property.nested?.classes ?? []) this.add(nested, source);
    }
    for (const name of undecorated(dto)) this.#addAll(dto, name, [NO_RULE]);
  }

  #addAll(dto: DtoClass, name: string, ends: readonly LooseEnd[]): void {
    const where = `${dto.name || 'a class without a name'}.${name}`;
    const ofClass = this.#findings.get(dto) ?? new Map<string, AuditFinding>();
    if (ends.length > 0) this.#findings.set(dto, ofClass);
    for (const [problem, fix] of ends) ofClass.set(`${name} ${problem}`, { dto, where, problem, fix });
  }
}

type LooseEnd = readonly [problem: string, fix: string];

const SERVER_NAME: LooseEnd = [
  'is a name that is usually the server’s to set',
  'take it out, or add @ClientSettable()',
];
const NO_RULE: LooseEnd = [
  'has no decorator, so that nobody can set it',
  'add rules, or take it out of the class',
];
const NO_MAX_SIZE: LooseEnd = ['is a list without a maximum size', 'add @ArrayMaxSize()'];
const ANYTHING: LooseEnd = ['takes any value', 'say what it is, or add @Unbounded()'];
const NO_MAX_LENGTH: LooseEnd = ['is text without a maximum length', 'add @MaxLength()'];
const NO_BOUNDS: LooseEnd = ['is a number without bounds', 'add @Min() and @Max()'];

function looseEnds(property: PropertyShape): LooseEnd[] {
  const { list, nested, maxItems } = property;
  const rules = [...property.rules.values()].flat();
  const ownSize = rules.some(({ name }) => name === 'csvList');
  const ends: LooseEnd[] = [];
  if (list !== 'no' && maxItems === undefined && !ownSize) ends.push(NO_MAX_SIZE);
  const ofValues = list === 'yes' ? rules.filter(({ each }) => each === true) : rules;
  if (!nested && !ownSize) ends.push(...looseValues(property, ofValues));
  return ends;
}

/** What a value may be that is no list, or an item of one. */
function looseValues(property: PropertyShape, rules: readonly Rule[]): LooseEnd[] {
  if (rules.some(boundsText)) return [];
  const kind = property.bodyKind === 'any' ? property.textKind : property.bodyKind;
  if (kind === 'boolean' || kind === 'date') return [];
  if (kind === 'number') return boundNumber(rules) ? [] : [NO_BOUNDS];
  if (kind === 'string' || rules.some(isAboutText)) return [NO_MAX_LENGTH];
  if (rules.some(isAboutNumbers)) return boundNumber(rules) ? [] : [NO_BOUNDS];
  return rules.some(saysWhatItIs) ? [] : [ANYTHING];
}

const NUMBER_RULES: ReadonlySet<string> = new Set([
  'isInt',
  'isNumber',
  'min',
  'max',
  'isPositive',
  'isNegative',
  'isDivisibleBy',
]);
const DATE_RULES: ReadonlySet<string> = new Set(['minDate', 'maxDate', 'isDate']);

const isAboutNumbers = ({ name }: Rule): boolean => NUMBER_RULES.has(name ?? '');

/** class-validator's rules about text take nothing else; a rule of the application's own may be about anything. */
const isAboutText = (rule: Rule): boolean => {
  const name = rule.name ?? '';
  if (isAboutNumbers(rule) || DATE_RULES.has(name) || !saysWhatItIs(rule)) return false;
  return TEXT_RULES.has(name);
};

const TEXT_RULES: ReadonlySet<string> = new Set([
  'isString',
  'minLength',
  'maxLength',
  'isLength',
  'matches',
  'contains',
  'notContains',
  'isAlpha',
  'isAlphanumeric',
  'isAscii',
  'isBase32',
  'isBase58',
  'isBase64',
  'isDataURI',
  'isDateString',
  'isDecimal',
  'isEmail',
  'isFqdn',
  'isFullWidth',
  'isHalfWidth',
  'isHexadecimal',
  'isIso8601',
  'isJson',
  'isJwt',
  'isLowercase',
  'isMagnetURI',
  'isMimeType',
  'isMultibyte',
  'isNumberString',
  'isOctal',
  'isRFC3339',
  'isSemVer',
  'isStrongPassword',
  'isSurrogatePair',
  'isUppercase',
  'isUrl',
  'isVariableWidth',
  'isCurrency',
]);

/** Properties that an instance has, or the documentation names, and no rule: the pipe takes none of them. */
function undecorated(dto: DtoClass): string[] {
  const { byName } = shapeOf(dto);
  const names = new Set([...fieldsOf(dto), ...documentedNames(dto)]);
  return [...names].filter(
    (name) =>
      !byName.has(name) && !transformerStorage.findExcludeMetadata(dto, name) && !isAccessor(dto, name),
  );
}

function fieldsOf(dto: DtoClass): string[] {
  try {
    return Object.keys(new (dto as new () => object)());
  } catch {
    return [];
  }
}

function isAccessor(dto: DtoClass, name: string): boolean {
  for (let owner: object | null = dto.prototype as object; owner; owner = Reflect.getPrototypeOf(owner))
    if (Reflect.getOwnPropertyDescriptor(owner, name)) return true;
  return false;
}
