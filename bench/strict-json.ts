// What strict JSON costs beside JSON.parse, for bodies of 1 kB to 100 kB of several kinds (the bound: checks at most as long as parsing).
const inside = (path: string) => import(new URL(`../dist/http/json/${path}.js`, import.meta.url).href);
const { parseStrictJson } = (await inside('strict-json')) as {
  parseStrictJson: (bytes: Buffer, limits: object) => unknown;
};

const LIMITS = {
  maxDepth: 20,
  maxKeys: 10_000,
  maxItems: 100_000,
  maxKeyLength: 128,
  maxStringLength: 102_400,
};
const SIZES = [1_000, 10_000, 100_000];
/** Short, taken in turns, and the best counts: what else the machine does only ever adds. */
const ROUNDS = 61;
const SLICE_MS = 1.5;

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
  'orders, Arabic': (bytes) => list(bytes, (n) => ({ ...order(n), name: 'آدا لوفليس' })),
  coordinates: (bytes) => list(bytes, position),
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
    work();
    calls++;
    now = performance.now();
  } while (now - started < SLICE_MS);
  return ((now - started) * 1_000) / calls;
}

const rows: string[] = [];
for (const [name, make] of Object.entries(KINDS)) {
  for (const size of SIZES) {
    const bytes = Buffer.from(make(size));
    const text = bytes.toString();
    const rounds = Array.from({ length: ROUNDS }, () => ({
      parse: time(() => JSON.parse(text)),
      decode: time(() => JSON.parse(bytes.toString())),
      strict: time(() => parseStrictJson(bytes, LIMITS)),
    }));
    const best = (of: keyof (typeof rounds)[number]) => Math.min(...rounds.map((round) => round[of]));
    const [parse, decode, strict] = [best('parse'), best('decode'), best('strict')];
    const checks = (strict - decode) / parse;
    const cells = [parse, decode, strict, checks].map((one) => one.toFixed(2));
    rows.push(`| ${name} | ${bytes.length} | ${cells.join(' | ')} |`);
  }
}
console.log('| body | bytes | JSON.parse, µs | with decoding | strict | checks / JSON.parse |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
console.log(rows.join('\n'));
