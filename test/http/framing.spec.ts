import { createServer } from 'node:http';

import { describe, expect, it, onTestFinished } from 'vitest';

import { checkFraming } from '../../lib/http/framing.js';
import { listen } from '../support/listen.js';
import { rawRequest } from '../support/raw-http.js';

async function verdict(lines: readonly string[], body = ''): Promise<string> {
  const server = createServer((request, response) => {
    const fault = checkFraming(request);
    response.setHeader('Connection', 'close');
    response.end(fault ? `${fault.status} ${fault.reason}` : 'fine');
  });
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  const port = await listen(server);
  onTestFinished(() => void server.close());
  const answer = await rawRequest(port, `${lines.join('\r\n')}\r\n\r\n${body}`);
  return answer.status === 200 ? answer.body : `parser ${answer.status}`;
}

const get = (...headers: string[]) => ['GET / HTTP/1.1', 'Host: localhost', ...headers];

describe('checkFraming', () => {
  it.each<[string, string[], string?]>([
    ['an ordinary request', get('Accept: */*')],
    ['a host with a port', ['GET / HTTP/1.1', 'Host: api.example.com:8443']],
    ['an IPv6 host', ['GET / HTTP/1.1', 'Host: [::1]:80']],
    ['a chunked body', ['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['HTTP/1.0 without a host', ['GET / HTTP/1.0']],
    ['many cookies', get('Cookie: a=1', 'Cookie: b=2')],
  ])('lets %s through', async (_, lines, body) => {
    expect(await verdict(lines, body)).toBe('fine');
  });

  it.each<[string, string[], string?]>([
    [
      'R-HP-01 gzip, chunked',
      ['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip, chunked'],
      '0\r\n\r\n',
    ],
    [
      'R-HP-01 chunked twice',
      ['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      '0\r\n\r\n',
    ],
    [
      'R-HP-01 a length beside chunked',
      ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
      '0\r\n\r\n',
    ],
    ['R-HP-01 two lengths', ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2'], 'a'],
    ['R-HP-02 no host', ['GET / HTTP/1.1']],
    ['R-HP-02 two hosts', get('Host: evil')],
    ['R-HP-02 an empty host', ['GET / HTTP/1.1', 'Host:']],
    ['R-HP-02 userinfo in the host', ['GET / HTTP/1.1', 'Host: user@a']],
    ['R-HP-02 a path in the host', ['GET / HTTP/1.1', 'Host: a/b']],
    ['R-HP-03 two content types', get('Content-Type: application/json', 'Content-Type: text/plain')],
    ['R-HP-03 two origins', get('Origin: https://a', 'Origin: https://b')],
    ['R-DP-02 two DPoP lines', get('DPoP: a', 'DPoP: b')],
    ['R-HP-06 TRACE', ['TRACE / HTTP/1.1', 'Host: a']],
    ['R-HP-05 a method that is not known', ['PROPFIND / HTTP/1.1', 'Host: a']],
    ['R-HP-08 101 fields', get(...Array.from({ length: 100 }, (_, i) => `X-${i}: 1`))],
    ['R-HP-13 another expectation', get('Expect: miracles')],
  ])('%s is refused', async (_, lines, body) => {
    expect(await verdict(lines, body)).toMatch(/^(4\d\d framing\.|parser 4\d\d)/);
  });
});
