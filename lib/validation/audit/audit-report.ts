import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import type { RouteMetadata } from '../../policy/metadata.js';
import { inputsOf } from '../declared-input.js';
import type { ValidationOptions } from '../validation.options.js';
import { placesOf } from './class-places.js';
import { type AuditFinding, DtoAudit } from './dto-audit.js';

/** A handler, as far as this looks at it. */
interface AuditedRoute {
  readonly metadata: RouteMetadata;
  readonly methodName: string;
}

const LISTED = 50;

/**
 * Lists properties of input classes that take more than they should: as problems of the boot, as one text for its log, or not
 * at all, as `validation.unbounded` says.
 *
 * @param logs whether anybody reads the text
 * @returns the text, if there is something to say
 */
export function auditInputs(
  routes: readonly AuditedRoute[],
  options: ValidationOptions | undefined,
  problems: ConfigurationProblems,
  logs = true,
): string | undefined {
  const { unbounded = 'warn' } = options ?? {};
  if (unbounded === 'allow' || (unbounded === 'warn' && !logs)) return undefined;
  const audit = new DtoAudit();
  for (const { metadata, methodName } of routes) {
    for (const { dtos, source } of inputsOf(metadata, methodName))
      for (const dto of dtos) audit.add(dto, source);
  }
  const { findings } = audit;
  if (unbounded === 'refuse') {
    for (const { where, problem, fix } of withPlaces(findings))
      problems.add('validation.unbounded', where, problem, fix);
    return undefined;
  }
  return findings.length === 0 ? undefined : reportOf(findings);
}

function reportOf(findings: readonly AuditFinding[]): string {
  const count = findings.length === 1 ? '1 property takes' : `${findings.length} properties take`;
  const lines = withPlaces(findings.slice(0, LISTED)).map(
    ({ where, problem, fix }) => `  ${where} ${problem}: ${fix}`,
  );
  const more = findings.length > LISTED ? [`  and ${findings.length - LISTED} more`] : [];
  const outlook = "validation: { unbounded: 'refuse' } makes this an error, 'allow' silences it";
  return [`${count} more than is wise from clients (${outlook}):`, ...lines, ...more].join('\n');
}

/** `CreateUserDto.name (src/users/create-user.dto.ts:12)`, where the file can be told. */
function withPlaces(findings: readonly AuditFinding[]): AuditFinding[] {
  const places = placesOf(findings.map(({ dto }) => dto));
  return findings.map((finding) => {
    const place = places.get(finding.dto);
    return place === undefined ? finding : { ...finding, where: `${finding.where} (${place})` };
  });
}
