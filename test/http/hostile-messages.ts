import { brotliCompressSync, gzipSync } from 'node:zlib';

export const ORDER = '{"amount":1}';
export const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

/** A request in bytes. */
export function message(start: string, fields: readonly string[] = [], body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body);
  const length =
    fields.some((field) => /^(content-length|transfer-encoding)/i.test(field)) || bytes.length === 0
      ? []
      : [`Content-Length: ${bytes.length}`];
  const head = [`${start} HTTP/1.1`, 'Host: a', 'Connection: close', ...fields, ...length, '', ''].join(
    '\r\n',
  );
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}
export const post = (path: string, body: string | Buffer, ...fields: string[]): Buffer =>
  message(`POST ${path}`, fields.length > 0 ? fields : [JSON_TYPE], body);
export const get = (target: string): Buffer => message(`GET ${target}`);

/** A message, and what has to come of it. */
export type Row = readonly [what: string, bytes: Buffer, status: number, code: string];
const bad = 'MALFORMED_REQUEST';
const media = 'UNSUPPORTED_MEDIA_TYPE';

export const MEDIA_TYPES: readonly Row[] = [
  ['no type', message('POST /orders', ['Content-Length: 12'], ORDER), 415, media],
  ['an empty type', post('/orders', ORDER, 'Content-Type: '), 415, media],
  ['text', post('/orders', ORDER, 'Content-Type: text/plain'), 415, media],
  ['a form', post('/orders', 'amount=1', 'Content-Type: application/x-www-form-urlencoded'), 415, media],
  ['multipart', post('/orders', ORDER, 'Content-Type: multipart/form-data; boundary=x'), 415, media],
  ['XML', post('/orders', '<a/>', 'Content-Type: application/xml'), 415, media],
  ['a suffix', post('/orders', ORDER, 'Content-Type: application/merge-patch+json'), 415, media],
  ['two, joined', post('/orders', ORDER, 'Content-Type: application/json, text/plain'), 415, media],
  ['two fields', post('/orders', ORDER, JSON_TYPE, JSON_TYPE), 415, media],
  [
    'two fields, the second another',
    post('/orders', ORDER, JSON_TYPE, 'Content-Type: text/plain'),
    415,
    media,
  ],
  [
    'two fields, the first another',
    post('/orders', ORDER, 'content-type: text/plain', JSON_TYPE),
    415,
    media,
  ],
  ['three fields, one empty', post('/orders', ORDER, 'CONTENT-TYPE:', JSON_TYPE, JSON_TYPE), 415, media],
  [
    'two fields with parameters',
    post('/orders', ORDER, `${JSON_TYPE}; charset=utf-8`, `${JSON_TYPE}; charset=utf-8`),
    415,
    media,
  ],
  ['two fields where no body is taken', post('/nothing', '{}', JSON_TYPE, JSON_TYPE), 415, media],
  ['two fields for a form', post('/forms', 'sku=a', FORM_TYPE, FORM_TYPE), 415, media],
  [
    'two fields, in chunks',
    message('POST /orders', [JSON_TYPE, JSON_TYPE, 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    415,
    media,
  ],
  [
    'two fields without content',
    message('POST /orders', [JSON_TYPE, JSON_TYPE, 'Content-Length: 0']),
    400,
    bad,
  ],
  ['two fields on GET without content', message('GET /search', [JSON_TYPE, JSON_TYPE]), 400, bad],
  [
    'two fields on GET with content',
    message('GET /search', [JSON_TYPE, JSON_TYPE, 'Content-Length: 2'], '{}'),
    400,
    bad,
  ],
  [
    'two fields and two lengths',
    message('POST /orders', [JSON_TYPE, JSON_TYPE, 'Content-Length: 2', 'Content-Length: 2'], '{}'),
    400,
    bad,
  ],
  ['two fields for no route', post('/nowhere', ORDER, JSON_TYPE, JSON_TYPE), 404, 'NOT_FOUND'],
  [
    'UTF-16',
    post('/orders', Buffer.from(ORDER, 'utf16le'), 'Content-Type: application/json; charset=utf-16'),
    415,
    media,
  ],
  ['UTF-7', post('/orders', ORDER, 'Content-Type: application/json; charset=utf-7'), 415, media],
  ['Latin-1', post('/orders', ORDER, 'Content-Type: application/json; charset=iso-8859-1'), 415, media],
  [
    'two charsets',
    post('/orders', ORDER, 'Content-Type: application/json; charset=utf-8; charset=utf-8'),
    415,
    media,
  ],
  ['UTF-8, quoted', post('/orders', ORDER, 'Content-Type: application/json; charset="UTF-8"'), 201, 'ok'],
  ['capitals', post('/orders', ORDER, 'Content-Type: Application/JSON'), 201, 'ok'],
  [
    'a form where one is taken',
    post('/forms', 'sku=a', 'Content-Type: application/x-www-form-urlencoded'),
    201,
    'ok',
  ],
  ['JSON where a form is taken', post('/forms', '{"sku":"a"}'), 415, media],
  [
    'a form field twice',
    post('/forms', 'sku=a&sku=b', 'Content-Type: application/x-www-form-urlencoded'),
    400,
    bad,
  ],
  [
    'a form with __proto__',
    post('/forms', 'sku=a&__proto__=b', 'Content-Type: application/x-www-form-urlencoded'),
    400,
    bad,
  ],
  [
    'a form with brackets',
    post('/forms', 'sku[]=a', 'Content-Type: application/x-www-form-urlencoded'),
    400,
    'UNEXPECTED_FIELDS',
  ],
];

export const ENCODINGS: readonly Row[] = [
  ['gzip', post('/orders', gzipSync(ORDER), JSON_TYPE, 'Content-Encoding: gzip'), 415, media],
  ['deflate', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: deflate'), 415, media],
  ['br', post('/orders', brotliCompressSync(ORDER), JSON_TYPE, 'Content-Encoding: br'), 415, media],
  ['two codings', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: gzip, gzip'), 415, media],
  [
    'two fields',
    post('/orders', gzipSync(ORDER), JSON_TYPE, 'Content-Encoding: gzip', 'Content-Encoding: identity'),
    415,
    media,
  ],
  [
    'two fields of identity',
    post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: identity', 'Content-Encoding: identity'),
    415,
    media,
  ],
  [
    'two fields without content',
    message('GET /search', ['Content-Encoding: gzip', 'Content-Encoding: gzip']),
    400,
    bad,
  ],
  ['an unknown coding', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: x'), 415, media],
  ['an empty coding', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: '), 415, media],
  ['identity', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: identity'), 201, 'ok'],
];

export const INFLATED: readonly Row[] = [
  ['gzip', post('/orders', gzipSync(ORDER), JSON_TYPE, 'Content-Encoding: gzip'), 201, 'ok'],
  ['br', post('/orders', brotliCompressSync(ORDER), JSON_TYPE, 'Content-Encoding: BR'), 201, 'ok'],
  [
    'two codings',
    post('/orders', gzipSync(gzipSync(ORDER)), JSON_TYPE, 'Content-Encoding: gzip, gzip'),
    415,
    media,
  ],
  ['deflate', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: deflate'), 415, media],
  [
    'a bomb',
    post('/orders', gzipSync(Buffer.alloc(50_000_000, 0x20)), JSON_TYPE, 'Content-Encoding: gzip'),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'a bomb in br',
    post('/orders', brotliCompressSync(Buffer.alloc(50_000_000, 0x20)), JSON_TYPE, 'Content-Encoding: br'),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'a ratio over 100 within the limit',
    post('/orders', gzipSync(Buffer.alloc(100_000, 0x20)), JSON_TYPE, 'Content-Encoding: gzip'),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  ['one that is none', post('/orders', ORDER, JSON_TYPE, 'Content-Encoding: gzip'), 400, bad],
  [
    'one cut off',
    post('/orders', gzipSync(ORDER).subarray(0, 20), JSON_TYPE, 'Content-Encoding: gzip'),
    400,
    bad,
  ],
  [
    'something behind it',
    post('/orders', Buffer.concat([gzipSync(ORDER), Buffer.from('{}')]), JSON_TYPE, 'Content-Encoding: gzip'),
    400,
    bad,
  ],
  [
    'zeros behind it',
    post('/orders', Buffer.concat([gzipSync(ORDER), Buffer.alloc(9)]), JSON_TYPE, 'Content-Encoding: gzip'),
    400,
    bad,
  ],
  [
    'something behind it in br',
    post(
      '/orders',
      Buffer.concat([brotliCompressSync(ORDER), Buffer.from('{}')]),
      JSON_TYPE,
      'Content-Encoding: br',
    ),
    400,
    bad,
  ],
  [
    'hostile JSON in it',
    post('/orders', gzipSync('{"amount":1,"amount":2}'), JSON_TYPE, 'Content-Encoding: gzip'),
    400,
    bad,
  ],
];

export const SIZES: readonly Row[] = [
  [
    'a length over the limit, nothing sent',
    message('POST /orders', [JSON_TYPE, 'Content-Length: 102401']),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'a huge length',
    message('POST /orders', [JSON_TYPE, 'Content-Length: 99999999999']),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  [
    'chunks over the limit',
    message('POST /small', [JSON_TYPE, 'Transfer-Encoding: chunked'], `41\r\n${'x'.repeat(65)}\r\n`),
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  ['a route with less', post('/small', `{"sku":"${'x'.repeat(60)}"}`), 413, 'PAYLOAD_TOO_LARGE'],
  ['exactly as much', post('/small', `{"sku":"x"}${' '.repeat(53)}`), 201, 'ok'],
];

export const BODIES: readonly Row[] = [
  ['no body where one is taken', message('POST /orders', [JSON_TYPE]), 400, bad],
  ['length 0', message('POST /orders', [JSON_TYPE, 'Content-Length: 0']), 400, bad],
  ['no chunks', message('POST /orders', [JSON_TYPE, 'Transfer-Encoding: chunked'], '0\r\n\r\n'), 400, bad],
  ['null', post('/orders', 'null'), 400, bad],
  ['an array for an object', post('/orders', '[]'), 400, 'VALIDATION_FAILED'],
  ['a text for an object', post('/orders', '"a"'), 400, 'VALIDATION_FAILED'],
  ['an object for an array', post('/lists', '{}'), 400, 'VALIDATION_FAILED'],
  ['too many items', post('/lists', '[{},{},{},{}]'), 400, 'VALIDATION_FAILED'],
  ['an unknown field', post('/orders', '{"amount":1,"evil":1}'), 400, 'UNEXPECTED_FIELDS'],
  [
    'an unknown field below',
    post('/orders', '{"amount":1,"lines":[{"sku":"a","evil":1}]}'),
    400,
    'UNEXPECTED_FIELDS',
  ],
  ['a field named toString', post('/orders', '{"amount":1,"toString":1}'), 400, 'UNEXPECTED_FIELDS'],
  ['a text for a number', post('/orders', '{"amount":"1"}'), 400, 'VALIDATION_FAILED'],
  ['true for a number', post('/orders', '{"amount":true}'), 400, 'VALIDATION_FAILED'],
  ['a list for a number', post('/orders', '{"amount":[1]}'), 400, 'VALIDATION_FAILED'],
  ['null for a number', post('/orders', '{"amount":null}'), 400, 'VALIDATION_FAILED'],
  ['an object with a length', post('/orders', '{"amount":1,"note":{"length":5}}'), 400, 'VALIDATION_FAILED'],
  ['a number that rounds to a whole one', post('/orders', '{"amount":0.99999999999999999999}'), 400, bad],
  ['a body where none is taken', post('/nothing', '{"a":1}'), 400, 'UNEXPECTED_FIELDS'],
  ['an empty object where none is taken', post('/nothing', '{}'), 201, 'ok'],
  ['a body on GET', message('GET /search', [JSON_TYPE], '{}'), 400, bad],
  ['a body on GET that takes the request', message('GET /whole', [JSON_TYPE], '{"a":1}'), 400, bad],
  ['a body on HEAD', message('HEAD /search', [JSON_TYPE], '{}'), 400, 'none'],
  ['a body on DELETE', message('DELETE /any', [JSON_TYPE], '{}'), 400, bad],
];

export const QUERIES: readonly Row[] = [
  ['nothing', get('/search'), 200, 'ok'],
  ['declared ones', get('/search?q=a&page=2&tags=a&tags=b'), 200, 'ok'],
  ['an unknown one', get('/search?evil=1'), 400, 'UNEXPECTED_FIELDS'],
  ['one twice', get('/search?q=a&q=b'), 400, 'VALIDATION_FAILED'],
  ['brackets', get('/search?q[]=a'), 400, 'UNEXPECTED_FIELDS'],
  ['an object in brackets', get('/search?q[a]=b'), 400, 'UNEXPECTED_FIELDS'],
  ['dots', get('/search?q.a=b'), 400, 'UNEXPECTED_FIELDS'],
  ['__proto__', get('/search?__proto__=a'), 400, bad],
  ['__proto__ in brackets', get('/search?__proto__[a]=b'), 400, 'UNEXPECTED_FIELDS'],
  ['constructor, encoded', get('/search?%63onstructor=a'), 400, bad],
  ['broken encoding', get('/search?q=%zz'), 400, bad],
  ['an overlong slash', get('/search?q=%c0%af'), 400, bad],
  ['Latin-1', get('/search?q=%ff'), 400, bad],
  ['a surrogate', get('/search?q=%ed%a0%80'), 400, bad],
  ['NUL', get('/search?q=%00'), 400, bad],
  ['a C1 control', get('/search?q=%c2%85'), 400, bad],
  ['101 parameters', get(`/search?${'q=1&'.repeat(101)}`), 400, bad],
  ['05', get('/search?page=05'), 400, 'VALIDATION_FAILED'],
  ['1e0', get('/search?page=1e0'), 400, 'VALIDATION_FAILED'],
  ['0x1', get('/search?page=0x1'), 400, 'VALIDATION_FAILED'],
  ['+1', get('/search?page=%2b1'), 400, 'VALIDATION_FAILED'],
  ['a space', get('/search?page=1+'), 400, 'VALIDATION_FAILED'],
  ['no number at all', get('/search?page='), 400, 'VALIDATION_FAILED'],
  ['a raw line break', Buffer.from('GET /search?q=a\nb HTTP/1.1\r\nHost: a\r\n\r\n'), 400, bad],
  ['a named one', get('/named?q=a'), 200, 'ok'],
  ['another than the named one', get('/named?r=a'), 400, 'UNEXPECTED_FIELDS'],
  ['the named one twice', get('/named?q=a&q=b'), 400, 'VALIDATION_FAILED'],
  ['one where none is taken', get('/no-query?q=a'), 400, 'UNEXPECTED_FIELDS'],
];

export const PATHS: readonly Row[] = [
  ['a letter', get('/things/a'), 200, 'ok'],
  ['an encoded letter', get('/things/%c3%a9'), 200, 'ok'],
  ['a slash', get('/things/a%2fb'), 400, bad],
  ['a slash in capitals', get('/things/a%2Fb'), 400, bad],
  ['a backslash', get('/things/a%5cb'), 400, bad],
  ['a raw backslash', get('/things/a\\b'), 400, bad],
  ['dots', get('/things/%2e%2e'), 400, bad],
  ['raw dots', get('/things/../things/a'), 400, bad],
  ['one dot', get('/things/.'), 400, bad],
  ['an encoded percent sign', get('/things/%252f'), 400, bad],
  ['NUL', get('/things/%00'), 400, bad],
  ['a line break', get('/things/%0d%0aX:1'), 400, bad],
  ['DEL', get('/things/%7f'), 400, bad],
  ['a C1 control', get('/things/%c2%85'), 400, bad],
  ['a non-character', get('/things/%ef%bf%bf'), 400, bad],
  ['an overlong slash', get('/things/%c0%af'), 400, bad],
  ['a surrogate', get('/things/%ed%a0%80'), 400, bad],
  ['half an escape', get('/things/%4'), 400, bad],
  ['an empty segment', get('//things/a'), 400, bad],
  ['a parameter of the path', get('/things/a;b=c'), 400, bad],
  ['a fragment', get('/things/a#b'), 400, bad],
];
