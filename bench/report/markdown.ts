import type { AdapterName } from '../apps/contestant.js';
import { median } from '../measure/statistics.js';
import type { Target, Workload } from './workloads.js';

/** What was measured of one contestant under one workload, a value for each round. */
export interface Measurement {
  readonly contestant: string;
  readonly cpuMicros: readonly number[];
  readonly requestsPerSecond: readonly number[];
}

export interface WorkloadResult {
  readonly workload: string;
  readonly adapter: AdapterName;
  readonly measurements: readonly Measurement[];
}

/** Part of its core that a server must use for its throughput to count. */
const SATURATED = 0.9;

const cpuOf = (result: WorkloadResult, contestant: string): number | undefined =>
  medianOf(result, contestant, 'cpuMicros');

function medianOf(
  { measurements }: WorkloadResult,
  contestant: string,
  figure: 'cpuMicros' | 'requestsPerSecond',
): number | undefined {
  const found = measurements.find((measurement) => measurement.contestant === contestant);
  return found && median(found[figure]);
}

export function resultTable(result: WorkloadResult, workload: Workload): string {
  const bareCpu = cpuOf(result, 'bare') ?? Number.NaN;
  const bareThroughput = medianOf(result, 'bare', 'requestsPerSecond') ?? Number.NaN;
  const rows = result.measurements.map(({ contestant, cpuMicros, requestsPerSecond }) => {
    const [cpu, throughput] = [median(cpuMicros), median(requestsPerSecond)];
    return [
      contestant,
      cpu.toFixed(1),
      `${(cpu / bareCpu).toFixed(2)} ×`,
      contestant === 'raw' ? '–' : (cpu - bareCpu).toFixed(1),
      throughput.toFixed(0),
      `${((100 * throughput) / bareThroughput).toFixed(0)} %`,
    ];
  });
  const title = `### ${workload.name} — ${result.adapter}`;
  const header = ['contestant', 'CPU µs/request', 'of bare', 'added µs', 'requests/s', 'of bare'];
  const targets = workload.targets
    .map((target) => targetLine(result, target))
    .filter((line) => line !== undefined);
  return [title, '', ...table(header, rows), '', ...targets, ...idleWarning(result), ''].join('\n');
}

/** Throughput says nothing about a server that waited for the load generator. */
function idleWarning({ measurements }: WorkloadResult): string[] {
  const idle = measurements.filter(({ contestant, cpuMicros, requestsPerSecond }) => {
    const busy = cpuMicros.map((micros, round) => (micros * (requestsPerSecond[round] ?? 0)) / 1e6);
    return contestant !== 'raw' && median(busy) < SATURATED;
  });
  const names = idle.map(({ contestant }) => contestant).join(', ');
  return names === '' ? [] : [`- something else used the cores, run again: ${names} had time to spare`];
}

function targetLine(result: WorkloadResult, target: Target): string | undefined {
  const contestant = result.measurements.find((measurement) =>
    measurement.contestant.startsWith('module:'),
  )?.contestant;
  if (contestant === undefined) return undefined;
  if (target.kind === 'throughput') {
    const wanted = target.atLeast[result.adapter];
    const part =
      (medianOf(result, contestant, 'requestsPerSecond') ?? Number.NaN) /
      (medianOf(result, 'bare', 'requestsPerSecond') ?? Number.NaN);
    return `- throughput ${percent(part)} of bare; at least ${percent(wanted)}: ${verdict(part >= wanted)}`;
  }
  const bare = cpuOf(result, 'bare') ?? Number.NaN;
  const added = (cpuOf(result, contestant) ?? Number.NaN) - bare;
  const share = added / ((cpuOf(result, target.of) ?? Number.NaN) - bare);
  const aim = target.aim === undefined ? '' : ` (aim ${fraction(target.aim)})`;
  return `- adds ${fraction(share)} of what ${target.of} adds; at most ${fraction(target.atMost)}${aim}: ${verdict(share <= target.atMost)}`;
}

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
const fraction = (share: number): string =>
  share > 0 && share < 0.7 ? `1/${(1 / share).toFixed(1)}` : share.toFixed(2);
const verdict = (isMet: boolean): string => (isMet ? '**met**' : '**missed**');

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const rule = header.map((_, index) => (index === 0 ? '---' : '---:'));
  return [tableRow(header), tableRow(rule), ...rows.map(tableRow)];
}

const tableRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
