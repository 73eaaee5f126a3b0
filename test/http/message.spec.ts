import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { rawConnection, rawRequest } from '../support/raw-http.js';
import {
  BODIES,
  ENCODINGS,
  get,
  INFLATED,
  JSON_TYPE,
  MEDIA_TYPES,
  message,
  ORDER,
  PATHS,
  post,
  QUERIES,
  SIZES,
} from './hostile-messages.js';
import { CORPUS } from './json/corpus.js';
import { startMessageApp } from './message-app.js';

const ports = {} as Record<Adapter, number>;
const inflating = {} as Record<Adapter, number>;

beforeAll(async () => {
  for (const adapter of ADAPTERS) {
    ports[adapter] = (await startMessageApp(adapter)).port;
    inflating[adapter] = (await startMessageApp(adapter, ['gzip', 'br'])).port;
  }
});
afterAll(closeApps);

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly code: string;
}

async function ask(port: number, bytes: Buffer): Promise<Answer> {
  const { status, body } = await rawRequest(port, bytes);
  let code = 'none';
  try {
    code = (JSON.parse(body) as { error?: { code?: string } }).error?.code ?? 'ok';
  } catch {
    code = status < 300 ? 'ok' : 'none';
  }
  return { status, body, code };
}

describe.each(ADAPTERS)('a message on %s', (adapter) => {
  it.each([...MEDIA_TYPES, ...ENCODINGS])('R-IV-01 R-IV-02 R-IV-29 %s', async (_, bytes, status, code) => {
    expect(await ask(ports[adapter], bytes)).toMatchObject({ status, code });
  });

  it.each(INFLATED)('R-IV-02 with codings switched on: %s', async (_, bytes, status, code) => {
    expect(await ask(inflating[adapter], bytes)).toMatchObject({ status, code });
  });

  it.each([...SIZES, ...BODIES])(
    'R-IV-03 R-IV-05 R-IV-11 R-IV-12 R-IV-21 R-IV-29 %s',
    async (_, bytes, status, code) => {
      expect(await ask(ports[adapter], bytes)).toMatchObject({ status, code });
    },
  );

  it.each([...QUERIES, ...PATHS])('R-IV-06 R-IV-18 R-IV-19 R-IV-29 %s', async (_, bytes, status, code) => {
    expect(await ask(ports[adapter], bytes)).toMatchObject({ status, code });
  });

  it('R-IV-05 gives the verdicts of the JSON corpus', async () => {
    const wrong: string[] = [];
    for (const { name, bytes, verdict } of CORPUS) {
      const { code } = await ask(ports[adapter], post('/nothing', bytes));
      const expected =
        verdict !== 'accepted'
          ? verdict
          : /^\s*(?:\{\s*\})$/.test(bytes.toString())
            ? 'ok'
            : 'UNEXPECTED_FIELDS';
      // Without a byte there is no body, and none is needed here; what is too large is refused by its size.
      if (bytes.length > 0 && bytes.length <= 102_400 && code !== expected) wrong.push(`${name} ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  it('R-IV-03 closes the connection on a body that is too large, and reads no further', async () => {
    const bytes = message('POST /orders', [JSON_TYPE, 'Content-Length: 500000'], 'x'.repeat(1_000))
      .toString()
      .replace('Connection: close\r\n', '');
    const { closedByServer, responses } = await rawConnection(ports[adapter], bytes);
    expect(responses.map(({ status }) => status)).toEqual([413]);
    expect(closedByServer).toBe(true);
  });

  it('R-IV-08 text in a path is brought into NFC, as everywhere', async () => {
    const { body } = await ask(ports[adapter], get('/things/e%cc%81'));
    expect(JSON.parse(body)).toEqual({ id: '\u00e9', length: 1 });
  });

  it('R-IV-28 no refusal repeats what was sent', async () => {
    const secret = 'CANARY4711';
    const hostile = [
      post('/orders', `{"amount":"${secret}"}`),
      post('/orders', `{"amount":1,"note":"${secret}\\u0000"}`),
      post('/orders', `{"amount":1,${secret}}`),
      post('/orders', `[${secret}`),
      post('/orders', ORDER, `Content-Type: ${secret}/x`),
      get(`/search?page=${secret}`),
      get(`/named?q=${secret}&q=${secret}`),
      get(`/things/${secret}%00`),
    ];
    for (const bytes of hostile) {
      const { status, body } = await ask(ports[adapter], bytes);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body).not.toContain(secret);
    }
  });
});

describe('both adapters', () => {
  const differ = async (bytes: Buffer): Promise<void> => {
    const [express, fastify] = await Promise.all(ADAPTERS.map((adapter) => ask(ports[adapter], bytes)));
    expect(express).toEqual(fastify);
  };

  it('R-IV-29 answer any hostile body alike, to the letter', async () => {
    expect.hasAssertions();
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"amount"',
      '"note"',
      '"lines"',
      '"sku"',
      '"evil"',
      '"__proto__"',
      '"constructor"',
      '1',
      '-0',
      '1e400',
      '9007199254740993',
      '"a"',
      '"\\u0000"',
      '"\\ud800"',
      'null',
      'true',
      ' ',
      '\n',
      'é',
      '\ufeff',
      '"',
    );
    const value = fc.oneof(
      piece,
      fc.jsonValue({ maxDepth: 3 }).map((one) => JSON.stringify(one)),
    );
    const members = fc.array(
      fc.tuple(fc.constantFrom('amount', 'note', 'lines', 'evil', '__proto__', 'a\\u006dount'), value),
      { maxLength: 4 },
    );
    const body = fc.oneof(
      members.map((all) => Buffer.from(`{${all.map(([name, one]) => `"${name}":${one}`).join()}}`)),
      fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join(''))),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    const type = fc.constantFrom(
      'application/json',
      'application/json;charset=utf-8',
      'text/plain',
      'application/json;;',
      'APPLICATION/JSON; v="1,2"',
    );
    const path = fc.constantFrom('/orders', '/lists', '/nothing', '/small');
    await fc.assert(
      fc.asyncProperty(path, body, type, (to, bytes, of) => differ(post(to, bytes, `Content-Type: ${of}`))),
      { numRuns: 300 },
    );
  }, 60_000);

  it('R-IV-29 answer any hostile target alike, to the letter', async () => {
    expect.hasAssertions();
    const piece = fc.constantFrom(
      'q',
      'page',
      'tags',
      'evil',
      '=',
      '=',
      '&',
      '&',
      '?',
      '/',
      '.',
      ';',
      '+',
      '%20',
      '%2f',
      '%5c',
      '%00',
      '%2e',
      '%ff',
      '%c3%a9',
      '%c2%85',
      '%25',
      '%',
      '[',
      ']',
      '__proto__',
      'constructor',
      '1',
      '05',
      'a',
      '\\',
      '|',
      '"',
      '{',
      '^',
      '`',
      '<',
    );
    const start = fc.constantFrom(
      '/search',
      '/search/',
      '/search?',
      '/named?',
      '/no-query?',
      '/things/',
      '/things/a?',
      '/',
    );
    await fc.assert(
      fc.asyncProperty(start, fc.array(piece, { maxLength: 8 }), (from, pieces) => {
        const target = from + pieces.join('');
        return differ(get(target));
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
