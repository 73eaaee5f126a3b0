import { type Duration, parseDuration } from '../configuration/units.js';
import type { RouteMetadata } from './metadata.js';
import type { StepUpPolicy } from './route-policy.js';

interface StepUpDemand {
  readonly maxAge?: Duration;
  readonly acr?: string | readonly string[];
  readonly amr?: string | readonly string[];
}

/** What cannot be demanded. */
export class StepUpInvalid extends Error {}

const VALUE = /^[\x21\x23-\x5B\x5D-\x7E]{1,255}$/;

/** All demands on the login of a route together; `undefined` without any. @throws StepUpInvalid */
export function stepUpOf(metadata: RouteMetadata): StepUpPolicy | undefined {
  const demands = metadata.all<StepUpDemand>('stepUp');
  if (demands.length === 0) return undefined;
  const ages: number[] = [];
  const acr: (readonly string[])[] = [];
  const amr = new Set<string>();
  for (const demand of demands) {
    const age = demand.maxAge === undefined ? undefined : parseDuration(demand.maxAge);
    if (demand.maxAge !== undefined && (age === undefined || age < 1_000)) throw new StepUpInvalid('maxAge');
    if (age !== undefined) ages.push(Math.floor(age / 1_000));
    const [one, all] = [valuesOf(demand.acr), valuesOf(demand.amr)];
    if (one.length > 0) acr.push(one);
    for (const value of all) amr.add(value);
    if (age === undefined && one.length + all.length === 0) throw new StepUpInvalid('nothing');
  }
  const maxAge = ages.length > 0 ? Math.min(...ages) : undefined;
  return Object.freeze({ maxAge, acr: Object.freeze(acr), amr: Object.freeze([...amr]) });
}

function valuesOf(values: string | readonly string[] | undefined): readonly string[] {
  const list = values === undefined ? [] : [values].flat();
  if (!list.every((value) => VALUE.test(value))) throw new StepUpInvalid('value');
  return Object.freeze(list);
}
