// What strict JSON costs beside JSON.parse, for bodies of 1 kB to 100 kB of several kinds (the bound: checks at most as long as parsing).
import { median } from './measure/statistics.js';

const inside = (path: string) => import(new URL(`../dist/http/json/${path}.js`, import.meta.url).href);
const { parseStrictJson } = (await inside('strict-json')) as {
  parseStrictJson: (bytes: Buffer, limits: object) => unknown;
};

const LIMITS = {
  maxDepth: 20,
  maxKeys: 100_000,
  maxItems: 100_000,
  maxKeyLength: 128,
  maxStringLength: 102_400,
};
const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 9;
const ROUND_MS = 25;

const order = (n: number) => ({
  reference: `3f8a2c1e-5b7d-4e9f-8a6b-${String(n).padStart(12, '0')}`,
  email: `customer${n}@example.com`,
  name: 'Ada Lovelace',
  delivery: 'express',
  wantedOn: '2026-03-01T12:00:00Z',
  quantity: n % 1_000,
  price: 19.99,
  gift: n % 2 === 0,
  note: null,
  address: { street: '12 St James Square', city: 'London', country: 'GB' },
});
const position = (n: number) => [n * 0.123_456_789, 51.507_351_234_567_8, -n];

/** A body of about so many bytes. */
const KINDS: Readonly<Record<string, (bytes: number) => string>> = {
  'orders, ASCII': (bytes) => list(bytes, order),
  'orders, umlauts': (bytes) => list(bytes, (n) => ({ ...order(n), name: 'Jürgen Groß' })),
  'orders, emoji': (bytes) => list(bytes, (n) => ({ ...order(n), name: 'Ada 😀' })),
  'orders, escapes': (bytes) => list(bytes, (n) => ({ ...order(n), name: 'Ada "the first"\nLovelace' })),
  'orders, \\u escapes': (bytes) =>
    list(bytes, (n) => ({ ...order(n), name: 'Jürgen' })).replaceAll('ü', '\\u00fc'),
  'coordinates': (bytes) => list(bytes, position),
  'whole numbers': (bytes) => list(bytes, (n) => n * 7),
  'one long text': (bytes) => JSON.stringify({ text: 'lorem ipsum dolor '.repeat(bytes / 18) }),
  'long texts': (bytes) => list(bytes, () => 'lorem ipsum dolor sit amet '.repeat(10)),
  'one wide object': (bytes) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: bytes / 16 }, (_, n) => [`field${n}`, n]))),
};

function list(bytes: number, make: (n: number) => unknown): string {
  const items: string[] = [];
  for (let length = 0, n = 0; length < bytes; n++) {
    const text = JSON.stringify(make(n));
    items.push(text);
    length += text.length + 1;
  }
  return `[${items.join()}]`;
}

/** Microseconds a call takes. */
function time(work: () => unknown): number {
  let calls = 0;
  const started = performance.now();
  let now = started;
  do {
    for (let i = 0; i < 8; i++) work();
    calls += 8;
    now = performance.now();
  } while (now - started < ROUND_MS);
  return ((now - started) * 1_000) / calls;
}

const rows: string[] = [];
for (const [name, make] of Object.entries(KINDS)) {
  for (const size of SIZES) {
    const bytes = Buffer.from(make(size));
    const text = bytes.toString();
    const parse: number[] = [];
    const decode: number[] = [];
    const strict: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      parse.push(time(() => JSON.parse(text)));
      decode.push(time(() => JSON.parse(bytes.toString())));
      strict.push(time(() => parseStrictJson(bytes, LIMITS)));
    }
    const [plain, decoded, all] = [median(parse), median(decode), median(strict)];
    const checks = (all - decoded) / plain;
    rows.push(
      `| ${name} | ${bytes.length} | ${plain.toFixed(1)} | ${decoded.toFixed(1)} | ${all.toFixed(1)} | ${checks.toFixed(2)} |`,
    );
  }
}
console.log('| body | bytes | JSON.parse, µs | with decoding | strict | checks / JSON.parse |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
console.log(rows.join('\n'));
