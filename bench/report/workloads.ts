import type { Algorithm } from '../apps/contestant.js';

/** One table of the report: several contestants that serve the same requests. */
export interface Workload {
  readonly name: string;
  /** For `--only`. */
  readonly id: string;
  readonly request: string;
  readonly algorithm: Algorithm;
  /** A token that the server has not met before on each request; the tokens are made before. */
  readonly freshTokens: boolean;
  readonly contestants: readonly string[];
  readonly targets: readonly Target[];
}

/**
 * What this module may cost at most. `share`: (module − bare) ÷ (other − bare), in CPU time;
 * `throughput`: at least this part of bare's, by adapter.
 */
export type Target =
  | { readonly kind: 'share'; readonly of: string; readonly atMost: number; readonly aim?: number }
  | { readonly kind: 'throughput'; readonly atLeast: Readonly<Record<'express' | 'fastify', number>> };

export const API_KEY = 'sk_bench_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';

/** A valid body of nine fields. */
export const VALID_ORDER = {
  reference: '9b2f6a1e-4c1d-4f0e-8a3b-2f1f6b7c8d9e',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  delivery: 'express',
  wantedOn: '2026-11-24T10:00:00Z',
  quantity: 12,
  sku: 'ENGINE-0042',
  note: 'Ring twice.',
  address: { street: '12 St James Square', city: 'London', country: 'GB' },
};
const ORDER = JSON.stringify(VALID_ORDER);

const request = (line: string, headers: readonly string[], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: bench.example', 'User-Agent: bench', 'Accept: */*', ...headers, '', body].join(
    '\r\n',
  );

const JSON_HEADERS = [
  'Content-Type: application/json',
  `Content-Length: ${String(Buffer.byteLength(ORDER))}`,
];
const API_KEY_HEADER = `X-API-Key: ${API_KEY}`;

export const GET_WITH_API_KEY = request('GET /orders', [API_KEY_HEADER]);
export const GET_WITHOUT_CREDENTIAL = request('GET /orders', []);
export const GET_WITH_TOKEN = request('GET /orders', ['Authorization: Bearer {token}']);
export const POST_WITH_API_KEY = request('POST /orders', [API_KEY_HEADER, ...JSON_HEADERS], ORDER);
const TINY = '{"evil":1}';
export const POST_INVALID = request(
  'POST /orders',
  [API_KEY_HEADER, 'Content-Type: application/json', `Content-Length: ${String(TINY.length)}`],
  TINY,
);

const jwt = (algorithm: Algorithm): Workload[] => {
  const common = { algorithm, request: GET_WITH_TOKEN };
  const contestants = ['bare', 'hand-made:jwt-documented', 'hand-made:jwt-tuned', 'module:jwt'];
  return [
    {
      ...common,
      id: `${algorithm.toLowerCase()}-seen`,
      name: `GET with ${algorithm} token, seen before`,
      freshTokens: false,
      contestants: [...contestants, 'layer:jwt-documented', 'layer:jwt-tuned'],
      targets: [
        { kind: 'share', of: 'hand-made:jwt-documented', atMost: 1 / 12 },
        { kind: 'share', of: 'hand-made:jwt-tuned', atMost: 1 / 5 },
      ],
    },
    {
      ...common,
      id: `${algorithm.toLowerCase()}-first`,
      name: `GET with ${algorithm} token, first seen`,
      freshTokens: true,
      contestants,
      targets: [{ kind: 'share', of: 'hand-made:jwt-tuned', atMost: 1 }],
    },
  ];
};

export const WORKLOADS: readonly Workload[] = [
  {
    id: 'get',
    name: 'GET with API key',
    request: GET_WITH_API_KEY,
    algorithm: 'HS256',
    freshTokens: false,
    contestants: [
      'raw',
      'bare',
      'hand-made:api-key',
      'module:api-key',
      'layer:guard',
      'layer:https',
      'layer:helmet',
      'layer:throttler',
      'layer:passport',
      'layer:api-key',
    ],
    targets: [
      { kind: 'share', of: 'hand-made:api-key', atMost: 1 / 4, aim: 1 / 8 },
      { kind: 'throughput', atLeast: { express: 0.8, fastify: 0.5 } },
    ],
  },
  {
    id: 'post',
    name: 'POST with API key, nine-field DTO',
    request: POST_WITH_API_KEY,
    algorithm: 'HS256',
    freshTokens: false,
    contestants: ['raw', 'bare', 'hand-made:api-key', 'module:api-key', 'layer:validation', 'layer:api-key'],
    targets: [{ kind: 'share', of: 'hand-made:api-key', atMost: 1 / 3, aim: 1 / 8 }],
  },
  ...jwt('RS256'),
  ...jwt('ES256'),
  ...jwt('HS256'),
];

/** What a contestant must refuse before it is measured, so that no one is fast by doing nothing. */
export function checksOf(
  contestant: string,
): readonly { readonly request: string; readonly status: string }[] {
  const authenticates = /^(hand-made|module):|^layer:(api-key|jwt)/.test(contestant);
  const validates = /^(hand-made|module):api-key|^layer:validation/.test(contestant);
  return [
    ...(authenticates ? [{ request: GET_WITHOUT_CREDENTIAL, status: '401' }] : []),
    ...(validates ? [{ request: POST_INVALID, status: '400' }] : []),
  ];
}
