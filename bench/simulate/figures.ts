import { table } from '../report/markdown.js';
import type { BytesPerCounter } from './counter-bytes.js';
import { breaksPromise, type Outcome } from './simulate.js';

export const MATRIX_COLUMNS = [
  'profile',
  'nodes',
  'mode',
  'requests',
  'admitted / allowed',
  'worst key',
  'most in a window, of the limit',
  'units above a limit',
  'round trips per request',
  'of the busiest key',
  'counters in the store',
  'kB on a node',
] as const;

export const SWEEP_COLUMNS = [
  'keys',
  'mode',
  'requests',
  'admitted / allowed',
  'units above a limit',
  'round trips per request',
  'counters in the store',
  'counters on a node',
  'kB on a node',
] as const;

export function matrixRow(outcome: Outcome, bytes: BytesPerCounter): string[] {
  const { scenario, admitted, allowed, worstShare, busiest } = outcome;
  return [
    scenario.profile,
    String(scenario.nodes),
    scenario.mode,
    String(outcome.requests),
    (admitted / allowed).toFixed(3),
    worstShare.toFixed(3),
    `${busiest.toFixed(2)} ×`,
    String(outcome.over),
    outcome.tripsPerRequest.toFixed(3),
    outcome.tenantTripsPerRequest.toFixed(3),
    String(outcome.storeCounters),
    kilobytes(outcome, bytes),
  ];
}

export function sweepRow(outcome: Outcome, bytes: BytesPerCounter): string[] {
  const { scenario, admitted, allowed } = outcome;
  return [
    String(scenario.keys),
    scenario.mode,
    String(outcome.requests),
    (admitted / allowed).toFixed(3),
    String(outcome.over),
    outcome.tripsPerRequest.toFixed(3),
    String(outcome.storeCounters),
    String(outcome.nodeCounters),
    kilobytes(outcome, bytes),
  ];
}

/** All figures as Markdown: what is printed, and what the page about them holds. */
export function figures(
  matrix: readonly Outcome[],
  sweep: readonly Outcome[],
  bytes: BytesPerCounter,
): string {
  const matrixRows = matrix.map((outcome) => matrixRow(outcome, bytes));
  const sweepRows = sweep.map((outcome) => sweepRow(outcome, bytes));
  return [
    ...table(MATRIX_COLUMNS, matrixRows),
    '',
    `The last runs: ${sweep[0]?.scenario.nodes} nodes, bursts, a window as long as the run, and each key seen at least once.`,
    '',
    ...table(SWEEP_COLUMNS, sweepRows),
    '',
    `A counter of the module takes ${bytes.local} bytes, what the model's node keeps of a key under a lease ${bytes.lease}.`,
    '',
    verdict([...matrix, ...sweep]),
  ].join('\n');
}

function verdict(outcomes: readonly Outcome[]): string {
  const promising = outcomes.filter(({ scenario: { mode } }) => mode === 'exact' || mode === 'lease');
  const broken = promising.filter(breaksPromise);
  if (broken.length === 0)
    return `Over-admission of exact and lease: none, in ${promising.length} of ${promising.length} runs.`;
  const where = broken.map(({ scenario: { profile, nodes, mode } }) => `${mode}, ${profile}, ${nodes} nodes`);
  return `Over-admission of exact and lease: **${broken.length} runs** (${where.join('; ')}).`;
}

function kilobytes({ scenario, nodeCounters }: Outcome, bytes: BytesPerCounter): string {
  return ((nodeCounters * bytes[scenario.mode]) / 1_000).toFixed(nodeCounters === 0 ? 0 : 1);
}
