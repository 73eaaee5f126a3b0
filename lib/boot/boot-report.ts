import type { RoutePolicy } from '../policy/route-policy.js';

/** One line of the table at boot. */
export interface ReportLine {
  readonly feature: string;
  /** What is on, or `not configured`. */
  readonly state: string;
}

/** The short table that the boot log shows: what is on, what is not configured, and which routes are open. */
export function bootReport(lines: readonly ReportLine[], policies: readonly RoutePolicy[]): string {
  const width = Math.max(...lines.map(({ feature }) => feature.length));
  const table = lines.map(({ feature, state }) => `  ${feature.padEnd(width)}  ${state}`);
  const open = policies.filter(({ authentication }) => authentication.mode === 'public').map(({ id }) => id);
  const unlimited = policies
    .filter(({ rateLimit: { read, write } }) =>
      [read, write].every((rules) => rules.early.length + rules.late.length === 0 && !rules.computed),
    )
    .map(({ id }) => id);
  return [
    `${policies.length} routes are protected as follows:`,
    ...table,
    ...listed('public routes', open, width),
    ...listed('without limits', unlimited, width),
  ].join('\n');
}

const LISTED = 20;

function listed(title: string, routes: readonly string[], width: number): string[] {
  if (routes.length === 0) return [`  ${title.padEnd(width)}  none`];
  const shown = routes.slice(0, LISTED).join(', ');
  const more = routes.length > LISTED ? ` and ${routes.length - LISTED} more` : '';
  return [`  ${title.padEnd(width)}  ${shown}${more}`];
}
