import type { Findings } from './details.js';
import type { InputPath } from './input-path.js';
import { KIND_RULES, type ValueKind } from './value-kinds.js';

/** Reports a value of the wrong kind in the words of the rule that the kind stands for. */
export function addWrongKind(
  path: InputPath | undefined,
  { inputName, integer }: { readonly inputName: string; readonly integer: boolean },
  kind: Exclude<ValueKind, 'any'>,
  findings: Findings,
  unfit: boolean,
): void {
  const [rule, text] = KIND_RULES[kind === 'number' && integer ? 'integer' : kind];
  findings.addBroken(
    path,
    rule,
    `${path && path.name === undefined ? 'each value in ' : ''}${inputName} ${text}`,
    unfit,
  );
}

/** Reports a list that is longer than a rule allows. */
export function addTooMany(path: InputPath, inputName: string, most: number, findings: Findings): void {
  findings.addBroken(path, 'arrayMaxSize', `${inputName} must contain no more than ${most} elements`, true);
}

/** Reports a value that is no member of an enum. */
export function addNoMember(
  path: InputPath,
  inputName: string,
  members: ReadonlySet<unknown>,
  findings: Findings,
  unfit: boolean,
): void {
  const allowed = [...members].join(', ');
  findings.addBroken(path, 'isEnum', `${inputName} must be one of the following values: ${allowed}`, unfit);
}
