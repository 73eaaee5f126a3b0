import type { ErrorDetail } from '../../errors/security-error.js';
import { UNKNOWN_FIELD } from '../details.js';
import { type InputPath, item, member, pathText, safeName } from '../input-path.js';
import type { SchemaIssue } from './standard-schema.js';

/** What zod, valibot and arktype put into their issues beside message and path. */
interface KnownIssue {
  /** zod, arktype */
  readonly code?: unknown;
  /** valibot */
  readonly type?: unknown;
  readonly expected?: unknown;
  /** zod's `unrecognized_keys` */
  readonly keys?: unknown;
}

/** The issues of one input in the contract's words, unknown fields apart. */
export interface SchemaDetails {
  readonly unexpected: readonly ErrorDetail[];
  readonly broken: readonly ErrorDetail[];
}

/** Turns issues into details: names cut, messages without values (R-IV-28). Their order is the schema's. */
export function detailsOf(
  issues: readonly SchemaIssue[],
  input: unknown,
  base: InputPath | undefined,
): SchemaDetails {
  const unexpected: ErrorDetail[] = [];
  const broken: ErrorDetail[] = [];
  for (const issue of issues) {
    const keys = (issue.path ?? []).map(keyOf);
    const names = unknownNames(issue);
    if (names) for (const name of names) unexpected.push(unknownField([...keys, ...name], base));
    else
      broken.push({ path: textOf(keys, base), rule: ruleOf(issue), message: messageOf(issue, keys, input) });
  }
  return { unexpected, broken };
}

/** An unknown field by its place. */
export function unknownField(keys: readonly PropertyKey[], base: InputPath | undefined): ErrorDetail {
  return { path: textOf(keys, base), rule: 'whitelist', message: UNKNOWN_FIELD };
}

function keyOf(segment: NonNullable<SchemaIssue['path']>[number]): PropertyKey {
  return typeof segment === 'object' ? segment.key : segment;
}

function textOf(keys: readonly PropertyKey[], base: InputPath | undefined): string {
  let path = base;
  for (const key of keys)
    path = typeof key === 'number' ? item(path, key) : member(path, safeName(String(key)), 0);
  return pathText(path);
}

/** Where an issue is about unknown keys: what each adds to its path. */
function unknownNames(issue: SchemaIssue): readonly (readonly string[])[] | undefined {
  const { code, type, expected, keys } = issue as KnownIssue;
  if (code === 'unrecognized_keys' && Array.isArray(keys)) return keys.map((key) => [String(key)]);
  if (type === 'strict_object' && expected === 'never') return [[]];
  return code === 'predicate' && expected === 'removed' ? [[]] : undefined;
}

const RULE = /^[\w-]{1,64}$/;

function ruleOf(issue: SchemaIssue): string {
  const { code, type } = issue as KnownIssue;
  return [code, type].find((one): one is string => typeof one === 'string' && RULE.test(one)) ?? 'schema';
}

/** What valibot and arktype say of the value behind what they expected. */
const RECEIVED = /(?: but received | \(was )[\s\S]*$/;
/** Issues that an application's own code raises, with words about whatever it has looked at. */
const OWN_RULES: ReadonlySet<string> = new Set(['custom', 'check', 'raw_check', 'predicate', 'schema']);
const MAX_LEAVES = 100;
/** Shorter values stand in any sentence. */
const TELLING_LENGTH = 3;

/** The schema's own words, unless they hold something of the request. */
function messageOf(issue: SchemaIssue, keys: readonly PropertyKey[], input: unknown): string {
  const message = issue.message.replace(RECEIVED, '');
  const looked = OWN_RULES.has(ruleOf(issue)) ? input : valueAt(input, keys);
  const isTelling = leavesOf(looked).some((leaf) => message.includes(leaf));
  return message === '' || isTelling ? 'The value is not valid' : message;
}

function valueAt(input: unknown, keys: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Texts and numbers in a value, as far as one has to look. */
function leavesOf(value: unknown): string[] {
  const leaves: string[] = [];
  const waiting = [value];
  for (let looked = 0; waiting.length > 0 && looked < MAX_LEAVES; looked++) {
    const one = waiting.pop();
    if (typeof one === 'object' && one !== null) waiting.push(...Object.values(one).slice(0, MAX_LEAVES));
    else if (typeof one === 'string' || typeof one === 'number') leaves.push(String(one));
  }
  return leaves.filter((leaf) => leaf.length >= TELLING_LENGTH);
}
