import { MODES, type Mode, PROFILES } from './scenario.js';
import type { Outcome } from './simulate.js';
import { area, bar, legend, line, svg, text } from './svg.js';

const WIDTH = 860;
const LEFT = 64;
const RIGHT = 16;

/** What one client got in the last window, second by second, by mode; each in a strip of its own, against its limit. */
export function plotTraces(outcomes: readonly Outcome[]): string {
  const stripHeight = 84;
  const gap = 34;
  const top = 70;
  const shown = outcomes.filter(({ trace }) => trace.length > 0);
  const seconds = shown[0]?.trace.length ?? 1;
  const height = top + shown.length * (stripHeight + gap) + 22;
  const width = WIDTH - LEFT - RIGHT;
  const parts = [
    text(16, 26, 'A client that bursts where two fixed windows meet', { size: 16, bold: true }),
    text(16, 46, `What it got in the last minute, on ${shown[0]?.scenario.nodes} nodes; dashed: its limit`, {
      tone: 'faint',
    }),
  ];
  shown.forEach(({ scenario: { mode, limit }, trace }, index) => {
    const floor = top + index * (stripHeight + gap) + gap / 2 + stripHeight;
    const yOf = (units: number) => floor - (units / (2.1 * limit)) * stripHeight;
    const xOf = (second: number) => LEFT + (second / seconds) * width;
    for (const ticks of [0, 1, 2]) {
      parts.push(line(LEFT, yOf(ticks * limit), WIDTH - RIGHT, yOf(ticks * limit), 'grid'));
      parts.push(
        text(LEFT - 8, yOf(ticks * limit) + 4, String(ticks * limit), {
          anchor: 'end',
          size: 11,
          tone: 'faint',
        }),
      );
    }
    const points = trace.map((units, second) => [xOf(second + 1), yOf(units)] as const);
    parts.push(area(corners([[xOf(0), floor], ...points]), floor, mode));
    parts.push(line(LEFT, yOf(limit), WIDTH - RIGHT, yOf(limit), 'limit', 1.2));
    parts.push(line(LEFT, floor, WIDTH - RIGHT, floor, 'axis'));
    parts.push(text(LEFT, floor - stripHeight - 6, `${mode}: at most ${Math.max(...trace)}`, { bold: true }));
    if (index < shown.length - 1) return;
    for (let minute = 0; minute * 60 <= seconds; minute++)
      parts.push(
        text(xOf(minute * 60), floor + 17, String(minute), { anchor: 'middle', size: 11, tone: 'faint' }),
      );
    parts.push(text(LEFT + width / 2, floor + 36, 'minutes', { anchor: 'middle' }));
  });
  parts.push(text(18, (height + top) / 2, 'requests in a minute', { anchor: 'middle', turned: true }));
  return svg(WIDTH, height, 'What one client got in the last minute under each mode', parts);
}

/** Round trips for each request, by nodes. */
export function plotTrips(outcomes: readonly Outcome[]): string {
  return plotBars(outcomes, {
    title: 'Round trips to the shared store for each request',
    note: 'A fixed window needs as many as exact',
    yLabel: 'round trips per request',
    modes: ['exact', 'lease', 'local'],
    value: ({ tripsPerRequest }) => tripsPerRequest,
    most: 1.1,
    at: 1,
  });
}

/** What was let through, as a part of what an exact sliding log over all nodes lets through. */
export function plotAdmitted(outcomes: readonly Outcome[]): string {
  return plotBars(outcomes, {
    title: 'Admitted, of what an exact sliding log over all nodes allows',
    note: 'Above the dashed line: more than the limit means',
    yLabel: 'admitted / allowed',
    modes: MODES,
    value: ({ admitted, allowed }) => admitted / allowed,
    most: 1.3,
    at: 1,
  });
}

interface BarPlot {
  readonly title: string;
  readonly note: string;
  readonly yLabel: string;
  readonly modes: readonly Mode[];
  readonly value: (outcome: Outcome) => number;
  /** The end of the axis, and where there is a dashed line. */
  readonly most: number;
  readonly at: number;
}

/** A panel for each profile, a group for each number of nodes, a bar for each mode. */
function plotBars(outcomes: readonly Outcome[], plot: BarPlot): string {
  const [height, floor, ceiling, between] = [350, 292, 116, 22];
  const width = (WIDTH - LEFT - RIGHT - between * (PROFILES.length - 1)) / PROFILES.length;
  const yOf = (value: number) => floor - (Math.min(value, plot.most) / plot.most) * (floor - ceiling);
  // No label lies on the dashed line.
  const labelY = (y: number) => (y - 14 < yOf(plot.at) ? Math.min(y, yOf(plot.at)) : y) - 4;
  const nodeCounts = [...new Set(outcomes.map(({ scenario: { nodes } }) => nodes))];
  const groupWidth = width / nodeCounts.length;
  const barWidth = (groupWidth - 12) / plot.modes.length;
  const parts = [
    text(16, 26, plot.title, { size: 16, bold: true }),
    text(16, 46, plot.note, { tone: 'faint' }),
    ...legend(
      16,
      74,
      plot.modes.map((mode) => [mode, mode]),
    ),
    text(18, (floor + ceiling) / 2, plot.yLabel, { anchor: 'middle', turned: true }),
    text((LEFT + WIDTH - RIGHT) / 2, height - 14, 'nodes', { anchor: 'middle' }),
  ];
  PROFILES.forEach((profile, panel) => {
    const left = LEFT + panel * (width + between);
    parts.push(text(left, ceiling - 10, profile, { bold: true }));
    for (let tick = 0; tick <= plot.most; tick += 0.25) {
      parts.push(line(left, yOf(tick), left + width, yOf(tick), 'grid'));
      if (panel === 0)
        parts.push(
          text(left - 8, yOf(tick) + 4, tick.toFixed(2), { anchor: 'end', size: 11, tone: 'faint' }),
        );
    }
    nodeCounts.forEach((nodes, group) => {
      const start = left + group * groupWidth + 6;
      plot.modes.forEach((mode, index) => {
        const found = outcomes.find(
          ({ scenario }) =>
            scenario.profile === profile && scenario.nodes === nodes && scenario.mode === mode,
        );
        if (found === undefined) return;
        const [x, y] = [start + index * barWidth, yOf(plot.value(found))];
        parts.push(bar(x + 0.5, y, barWidth - 1, floor - y, mode));
        parts.push(
          text(x + barWidth / 2, labelY(y), shortNumber(plot.value(found)), { anchor: 'middle', size: 8.5 }),
        );
      });
      parts.push(
        text(start + (groupWidth - 12) / 2, floor + 17, String(nodes), {
          anchor: 'middle',
          size: 11,
          tone: 'faint',
        }),
      );
    });
    parts.push(line(left, yOf(plot.at), left + width, yOf(plot.at), 'limit'));
    parts.push(line(left, floor, left + width, floor, 'axis'));
  });
  return svg(WIDTH, height, plot.title, parts);
}

/** Two digits after the point, and no 0 that says nothing: there is little room above a bar. */
function shortNumber(value: number): string {
  return value === 0 ? '0' : value.toFixed(2).replace(/^0/, '').replace(/\.00$/, '');
}

/** Without points between two equal ones, which change nothing in the line. */
function corners(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return points.filter(([, y], i) => y !== points[i - 1]?.[1] || y !== points[i + 1]?.[1]);
}
