import { type ErrorDetail, SecurityError } from '../errors/security-error.js';
import { type InputPath, pathOrder, pathText, stepBelow } from './input-path.js';

const MESSAGE_LENGTH = 256;
/** More than this is not even collected; far fewer are told. */
const COLLECTED = 256;

const NONE: readonly Finding[] = [];
/** What an unknown field is told. */
export const UNKNOWN_FIELD = 'This field is not known here';

/** How refusals are told. */
export interface DetailOptions {
  /** Most entries of `details`. */
  readonly maxDetails: number;
  readonly status: 400 | 422;
}

interface Finding {
  readonly path: InputPath | undefined;
  readonly order: readonly number[];
  readonly rule: string;
  readonly message: string;
}

/** A broken rule or unknown field; the status may be 422, for clients that expect it. */
class InputRefused extends SecurityError {
  constructor(
    code: 'VALIDATION_FAILED' | 'UNEXPECTED_FIELDS',
    details: readonly ErrorDetail[],
    private readonly inputStatus: number,
    cause?: unknown,
  ) {
    const message = code === 'VALIDATION_FAILED' ? 'Validation failed' : 'Unexpected fields in request';
    super(code, message, cause === undefined ? { details } : { details, cause });
  }

  override getStatus(): number {
    return this.inputStatus;
  }
}

/** The error for details that are in order already: cut to what is told, in number and in length. */
export function inputRefused(
  code: 'VALIDATION_FAILED' | 'UNEXPECTED_FIELDS',
  details: readonly ErrorDetail[],
  { maxDetails, status }: DetailOptions,
): SecurityError {
  const cut = details.slice(0, maxDetails);
  return refusal(
    code,
    cut.map(({ path, rule, message }) => ({ path, rule, message: message.slice(0, MESSAGE_LENGTH) })),
    status,
  );
}

/** What is wrong with one input, told in a stable order and never at length (R-IV-28). */
export class Findings {
  // Nothing is made for an input that is right.
  #unexpected: Finding[] | undefined;
  #broken: Finding[] | undefined;
  #unfit: Set<string> | undefined;

  /** @param base where the input stands itself: nowhere, under a name, or in a list */
  constructor(private readonly base: InputPath | undefined) {}

  get none(): boolean {
    return this.#unexpected === undefined && this.#broken === undefined;
  }

  /** Members of the whole input that must not be converted: what they hold would break the converter, or be bent by it. */
  get unfit(): ReadonlySet<string> | undefined {
    return this.#unfit;
  }

  /** Unknown fields decide alone: nothing else is looked at. */
  get hasUnexpected(): boolean {
    return this.#unexpected !== undefined;
  }

  /** An unknown field. These are told in the order of the request: a declaration has no place for them. */
  addUnexpected(path: InputPath): void {
    const unexpected = (this.#unexpected ??= []);
    if (unexpected.length < COLLECTED)
      unexpected.push({ path, order: [], rule: 'whitelist', message: UNKNOWN_FIELD });
  }

  /** A broken rule. `unfit` keeps the value away from class-transformer. */
  addBroken(path: InputPath | undefined, rule: string, message: string, unfit = false): void {
    if (unfit && path && path !== this.base)
      (this.#unfit ??= new Set()).add(stepBelow(this.base, path).name ?? '');
    const broken = (this.#broken ??= []);
    if (broken.length < COLLECTED) broken.push({ path, order: pathOrder(path), rule, message });
  }

  /**
   * Adds what class-validator found in the parts that were fit for it. Its words are those that its users expect: ours
   * stay where it had none.
   */
  merge(later: Findings): void {
    // Of a list it says that some item breaks a rule; where we know which, that is enough.
    const broken = this.#broken ?? NONE;
    const items = new Set(
      broken
        .filter(({ path }) => path && path.name === undefined)
        .map(({ path, rule }) => `${pathText(path?.parent)} ${rule}`),
    );
    const theirs = (later.#broken ?? NONE).filter(
      ({ path, rule }) => !this.#isUnfit(path) && !items.has(`${pathText(path)} ${rule}`),
    );
    const covered = new Set(theirs.map(({ path }) => pathText(path)));
    const ours = broken.filter(({ path }) => !covered.has(pathText(path)));
    this.#broken = [...ours, ...theirs];
    if (later.#unexpected) this.#unexpected = [...(this.#unexpected ?? NONE), ...later.#unexpected];
  }

  #isUnfit(path: InputPath | undefined): boolean {
    if (this.#unfit === undefined || path === undefined || path === this.base) return false;
    return this.#unfit.has(stepBelow(this.base, path).name ?? '');
  }

  /** The error for what was found; unknown fields before broken rules. */
  toError({ maxDetails, status }: DetailOptions, cause?: unknown): SecurityError {
    return this.#unexpected
      ? refusal('UNEXPECTED_FIELDS', told(this.#unexpected, maxDetails), status, cause)
      : refusal(
          'VALIDATION_FAILED',
          told((this.#broken ?? NONE).toSorted(compare), maxDetails),
          status,
          cause,
        );
  }
}

/** An error without a stack: where a client's mistake was found helps nobody, and finding out takes longer than all rules. */
function refusal(...args: ConstructorParameters<typeof InputRefused>): InputRefused {
  const { stackTraceLimit } = Error;
  // Fails in silence where the built-in objects are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return new InputRefused(...args);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

function told(findings: readonly Finding[], max: number): readonly ErrorDetail[] {
  return findings.slice(0, max).map(({ path, rule, message }) => ({
    path: pathText(path),
    rule,
    message: message.slice(0, MESSAGE_LENGTH),
  }));
}

function compare(a: Finding, b: Finding): number {
  for (let i = 0; i < a.order.length && i < b.order.length; i++) {
    const difference = a.order[i]! - b.order[i]!;
    if (difference !== 0) return difference;
  }
  if (a.order.length !== b.order.length) return a.order.length - b.order.length;
  return a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0;
}
