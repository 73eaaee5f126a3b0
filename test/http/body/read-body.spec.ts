import { createServer } from 'node:http';

import { describe, expect, it, onTestFinished } from 'vitest';

import { ClientAborted, readBody } from '../../../lib/http/body/read-body.js';
import { checkContent } from '../../../lib/http/body/media-type.js';
import { parseForm } from '../../../lib/http/body/form.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import { listen } from '../../support/listen.js';
import { rawConnection, rawRequest } from '../../support/raw-http.js';

async function start() {
  const outcomes: string[] = [];
  const server = createServer((request, response) => {
    const asItIs = (bytes: Buffer) => bytes;
    readBody(request, 10, () => undefined, asItIs).then(
      (bytes) => {
        outcomes.push(bytes.toString());
        return response.end(`read ${bytes.length}`);
      },
      (error: unknown) => {
        const listeners = ['data', 'end', 'error'].map((name) => request.listenerCount(name)).join('');
        outcomes.push(error instanceof SecurityError ? `${error.code} ${listeners}` : (error as Error).name);
        response.setHeader('Connection', 'close');
        return response.end();
      },
    );
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  return { port, outcomes };
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n';

describe('readBody', () => {
  it.each([
    ['by length', `${HEAD}Content-Length: 10\r\n\r\n0123456789`],
    ['in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n`],
  ])('R-IV-03 reads up to the limit, %s', async (_, text) => {
    const { port, outcomes } = await start();
    expect((await rawRequest(port, text)).body).toBe('read 10');
    expect(outcomes).toEqual(['0123456789']);
  });

  it('R-IV-03 puts together what comes in pieces', async () => {
    const { port, outcomes } = await start();
    await rawRequest(port, [`${HEAD}Content-Length: 6\r\n\r\n`, 'ab', 'cd', 'ef']);
    expect(outcomes).toEqual(['abcdef']);
  });

  it.each([
    ['a length over the limit, before a byte is sent', `${HEAD}Content-Length: 11\r\n\r\n`],
    ['chunks over the limit', `${HEAD}Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n`],
  ])('R-IV-03 refuses %s, and leaves no listener behind', async (_, text) => {
    const { port, outcomes } = await start();
    await rawRequest(port, text);
    expect(outcomes).toEqual(['PAYLOAD_TOO_LARGE 000']);
  });

  it('R-IV-03 hands on what becomes of the bytes, a failure too', async () => {
    const outcomes: unknown[] = [];
    const server = createServer((request, response) => {
      const take = (): never => {
        throw new SecurityError('MALFORMED_REQUEST', 'not today');
      };
      readBody(request, 10, () => undefined, take).catch((error: unknown) => {
        outcomes.push(error);
        response.end();
      });
    });
    const port = await listen(server);
    onTestFinished(() => void server.close());
    await rawRequest(port, `${HEAD}Content-Length: 1\r\nConnection: close\r\n\r\n0`);
    expect(outcomes).toMatchObject([{ message: 'not today' }]);
  });

  it('R-HP-16 a client that goes away is no error of the server', async () => {
    const { port, outcomes } = await start();
    await rawConnection(port, `${HEAD}Content-Length: 10\r\n\r\nabc`, { timeoutMs: 100 });
    await expect.poll(() => outcomes).toEqual([ClientAborted.name]);
  });
});

describe('checkContent', () => {
  const check = (
    type: string | undefined,
    accepted = ['application/json', 'image/png'],
    more: Record<string, string> = {},
  ) =>
    checkContent({ headers: { ...(type === undefined ? {} : { 'content-type': type }), ...more } } as never, {
      types: accepted,
      encodings: [],
    }).type;

  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON ; charset=UTF-8', 'application/json'],
    ['application/json;charset="utf-8";v=1', 'application/json'],
    ['image/png', 'image/png'],
  ])('R-IV-01 accepts %s', (type, expected) => {
    expect(check(type)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    'json',
    'application/',
    '/json',
    'application/json, application/json',
    'application/json;',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset',
    'application/ld+json',
    'text/plain',
    `application/json;${'a'.repeat(300)}=1`,
  ])('R-IV-01 refuses %s, and says what would do', (type) => {
    expect(() => check(type)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MEDIA_TYPE',
        extras: expect.objectContaining({ headers: { Accept: 'application/json, image/png' } }) as unknown,
      }) as Error,
    );
  });

  it('R-IV-02 refuses encoded content', () => {
    expect(() => check('application/json', undefined, { 'content-encoding': 'br' })).toThrow(SecurityError);
    expect(check('application/json', undefined, { 'content-encoding': 'identity' })).toBe('application/json');
  });
});

describe('parseForm', () => {
  it('R-IV-18 reads fields, each once', () => {
    expect({ ...parseForm(Buffer.from('a=1&b=%C3%A9+x')) }).toEqual({ a: '1', b: '\u00e9 x' });
    expect(() => parseForm(Buffer.from('a=1&a=2'))).toThrow(SecurityError);
    expect(() => parseForm(Buffer.from('a=é'))).toThrow(SecurityError);
  });
});
