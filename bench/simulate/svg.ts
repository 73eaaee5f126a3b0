/** Colours that people with any kind of colour vision tell apart, on light and on dark ground. */
export const COLOURS = { exact: '#3b8fd0', lease: '#12a37c', local: '#d99a1c', 'fixed window': '#d9603b' };
export type Colour = keyof typeof COLOURS;

const STYLE = `
  .ground { fill: #ffffff } .ink { fill: #24292f } .faint { fill: #57606a }
  .axis { stroke: #57606a } .grid { stroke: #d8dee4 } .limit { stroke: #24292f; stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .ink { fill: #e6edf3 } .faint { fill: #9da7b1 }
    .axis { stroke: #9da7b1 } .grid { stroke: #30363d } .limit { stroke: #e6edf3 }
  }
`;

interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly tone?: 'ink' | 'faint';
  readonly bold?: boolean;
  readonly turned?: boolean;
}

/** A picture with a ground of its own, which follows the reader's light or dark setting. */
export function svg(width: number, height: number, label: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', size = 12, tone = 'ink', bold = false, turned = false } = options;
  const turn = turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  const weight = bold ? ' font-weight="600"' : '';
  return `<text class="${tone}" x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}"${weight}${turn}>${escaped(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, name: string, width = 1): string {
  return `<line class="${name}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke-width="${width}"/>`;
}

export function bar(x: number, y: number, width: number, height: number, colour: Colour): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${COLOURS[colour]}"/>`;
}

/** A line through points, and the area under it. */
export function area(points: readonly (readonly [number, number])[], floor: number, colour: Colour): string {
  const path = points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');
  const [left, right] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const fill = COLOURS[colour];
  return [
    `<path d="M${round(left)} ${floor}L${path}L${round(right)} ${floor}Z" fill="${fill}" fill-opacity="0.25"/>`,
    `<path d="M${path}" fill="none" stroke="${fill}" stroke-width="1.8" stroke-linejoin="round"/>`,
  ].join('\n');
}

/** Names beside their colours, in one line. */
export function legend(
  x: number,
  y: number,
  entries: readonly (readonly [name: string, Colour])[],
): string[] {
  let at = x;
  return entries.flatMap(([name, colour]) => {
    const parts = [bar(at, y - 10, 12, 12, colour), text(at + 18, y, name)];
    at += 18 + 7 * name.length + 24;
    return parts;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
