import type { ValidationError } from 'class-validator';

import { addBroken, addContext, argumentsOf, newError, typeOf } from './messages.js';
import { Decision } from './decision.js';
import { constraintsOf, type RuleConstraint, type RuleMetadata } from './rules-of.js';
import type { ValidationRun } from './validation-run.js';

/**
 * Rules of one property as a function. It takes the error that the property has so far and hands back the one that it has then:
 * the first broken rule makes it, so that nothing is made for a property that is right.
 */
export type Check = (
  object: object,
  value: unknown,
  error: ValidationError | undefined,
  run: ValidationRun,
) => ValidationError | undefined;

/** A rule that a constraint decides: built-in ones, `registerDecorator()`, `ValidateBy()` and `@Validate()`. */
export function ruleChecks(rule: RuleMetadata, targetName: string): readonly Check[] {
  const checks = constraintsOf(rule).map((constraint) =>
    rule.each ? eachCheck(rule, constraint, targetName) : oneCheck(rule, constraint, targetName),
  );
  if (!rule.validateIf) return checks;
  const together = inSequence(checks);
  // Asked once for the rule, however many constraints run it.
  return [
    (object, value, error, run) =>
      rule.validateIf!(object, value) ? together(object, value, error, run) : error,
  ];
}

/** Several checks as one. */
function inSequence(checks: readonly Check[]): Check {
  return (object, value, error, run) => {
    let found = error;
    for (let i = 0; i < checks.length; i++) found = checks[i]!(object, value, found, run);
    return found;
  };
}

function decisionOf(constraint: RuleConstraint): Decision {
  return constraint.decision ?? new Decision('', (value, args) => constraint.instance.validate(value, args));
}

function oneCheck(rule: RuleMetadata, constraint: RuleConstraint, targetName: string): Check {
  const decision = decisionOf(constraint);
  return (object, value, error, run) => {
    if (decision.isSure?.(value, rule.constraints)) return error;
    const verdict = decision.decide(value, argumentsOf(rule, targetName, object, value));
    if (verdict === true) return error;
    if (isPromise(verdict)) {
      const kept = error ?? newError(rule.propertyName);
      run.wait(
        verdict.then((isValid) => settle(!isValid, kept, rule, constraint, targetName, object, value)),
      );
      return kept;
    }
    if (verdict) return error;
    const broken = error ?? newError(rule.propertyName);
    addBroken(broken, rule, constraint, targetName, object, value);
    return broken;
  };
}

/** `each`: the rule is asked about every item, and reported once. */
function eachCheck(rule: RuleMetadata, constraint: RuleConstraint, targetName: string): Check {
  const decision = decisionOf(constraint);
  const single = oneCheck(rule, constraint, targetName);
  return (object, value, error, run) => {
    const items = itemsOf(value);
    if (items === undefined) return single(object, value, error, run);
    const args = argumentsOf(rule, targetName, object, value);
    const verdicts: unknown[] = [];
    // Gaps of the list stay gaps: nobody is asked about them.
    verdicts.length = items.length;
    let isLater = false;
    let isBroken = false;
    for (let i = 0; i < items.length; i++) {
      if (!(i in items)) continue;
      const verdict = (verdicts[i] =
        decision.isSure?.(items[i], rule.constraints) || decision.decide(items[i], args));
      if (isPromise(verdict)) isLater = true;
      else if (!verdict) isBroken = true;
    }
    if (!isLater && !isBroken) return error;
    const found = error ?? newError(rule.propertyName);
    if (isLater) {
      run.wait(
        Promise.all(verdicts).then((all) =>
          settle(!all.every(Boolean), found, rule, constraint, targetName, object, value),
        ),
      );
    } else addBroken(found, rule, constraint, targetName, object, value);
    return found;
  };
}

/** What a rule that answered later changes. */
function settle(
  isBroken: boolean,
  error: ValidationError,
  rule: RuleMetadata,
  constraint: RuleConstraint,
  targetName: string,
  object: object,
  value: unknown,
): void {
  if (!isBroken) return;
  addBroken(error, rule, constraint, targetName, object, value);
  if (rule.context) addContext(error, typeOf(rule, constraint), rule.context);
}

function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Map) return Array.from<unknown>(value.values());
  return value instanceof Set ? Array.from<unknown>(value) : undefined;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    value !== null &&
    typeof value === 'object' &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}
