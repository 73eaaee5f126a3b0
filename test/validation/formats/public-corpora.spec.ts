import {
  isEmailAddress,
  isFullDate,
  isFullTime,
  isHostname,
  isIpAddress,
  isRfc3339,
  isSafeUrl,
  isStrictUrl,
  isStrictUuid,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { FORMAT_VALUES, URLS } from '../../corpora/corpora.js';

/** As wide as options make it: what is refused then is refused always. */
const ANY_URL = {
  schemes: ['http', 'https', 'ftp', 'ldap', 'mailto', 'news', 'tel', 'urn'],
  ipAddress: true,
  singleLabel: true,
};

type Difference = readonly [reason: string, refused: readonly string[]];

/** For each format our check, and what it refuses of the valid texts, with the reason; docs/formats.md has the same table. */
const FORMATS: readonly (readonly [
  format: string,
  check: (text: string) => boolean,
  differences: readonly Difference[],
])[] = [
  [
    'date-time',
    isRfc3339,
    [
      ['`Date` has no leap seconds', ['1998-12-31T23:59:60Z', '1998-12-31T15:59:60.123-08:00']],
      ['one spelling: capital `T` and `Z`', ['1963-06-19t08:30:06.283185z']],
      ['nine digits of a second at most', ['1985-04-12T00:59:59.999999999999999Z']],
    ],
  ],
  [
    'time',
    isFullTime,
    [
      [
        '`Date` has no leap seconds',
        [
          '23:59:60Z',
          '23:59:60+00:00',
          '01:29:60+01:30',
          '23:29:60+23:30',
          '15:59:60-08:00',
          '00:29:60-23:30',
        ],
      ],
      ['one spelling: capital `Z`', ['08:30:06z']],
    ],
  ],
  ['date', isFullDate, []],
  [
    'email',
    isEmailAddress,
    [
      [
        'quoted local parts hold spaces, markup and a second `@`',
        [
          '"joe bloggs"@example.com',
          '"joe..bloggs"@example.com',
          '"joe@bloggs"@example.com',
          '""@iana.org',
          '" "@iana.org',
          '"test"@iana.org',
          '"\\a"@iana.org',
          '"\\""@iana.org',
          '"\\\\"@iana.org',
        ],
      ],
      [
        'addresses of machines instead of names',
        ['joe.bloggs@[127.0.0.1]', 'joe.bloggs@[IPv6:::1]', 'a@[ipv6:::1]', 'test@255.255.255.255'],
      ],
      ['names without a dot are not on the Internet', ['test@io']],
    ],
  ],
  ['hostname', isHostname, []],
  [
    'uri',
    (text) => isStrictUrl(text, ANY_URL),
    [
      [
        'URLs with a host only',
        [
          'mailto:John.Doe@example.com',
          'news:comp.infosystems.www.servers.unix',
          'tel:+1-816-555-1212',
          'urn:oasis:names:specification:docbook:dtd:xml:4.1.2',
        ],
      ],
      [
        'no credentials, empty ones neither',
        ["http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com", 'http://@a.com', 'http://user@'],
      ],
      ['no numbers that some parsers read as an address', ['http://087.10.0.1/', 'http://999.999.999.999/']],
      ['ports are written out, and exist', ['http://a.com:', 'http://a.com:999999999', 'http://:80']],
      [
        'hosts are host names of RFC 1123',
        ["http://!$&'()*+,;=.com", 'http://example.com.', 'http://exa~mple.com/', 'http://under_score.com/'],
      ],
    ],
  ],
  ['ipv4', (text) => isIpAddress(text, { version: 4 }), []],
  ['ipv6', (text) => isIpAddress(text, { version: 6 }), []],
  [
    'uuid',
    isStrictUuid,
    [
      ['the nil UUID names nothing', ['00000000-0000-0000-0000-000000000000']],
      ['versions that RFC 9562 defines', ['99c17cbb-656f-f64a-940f-1a4568f03487']],
    ],
  ],
];

/** Which of the URLs with a host that the standard accepts we accept; the host is the same then. */
const STRICT_URLS = [
  'http://127.0.0.1:10100/relative_import.html',
  'http://facebook.com/?foo=%7B%22abc%22',
  'https://localhost:3000/jqueryui@1.2.3',
  'http://1.2.3.4/',
  'http://192.168.257.com',
  'http://256.com',
  'http://999999999.com',
  'http://10000000000.com',
  'http://[1:0::]',
];

describe('formats on public corpora', () => {
  it.each(FORMATS)(
    'R-IV-15 %s: nothing invalid passes, and what valid is refused has its reason',
    (name, check, differences) => {
      const { valid, invalid } = FORMAT_VALUES[name]!;
      expect(invalid.length).toBeGreaterThan(8);
      expect(invalid.filter(check)).toEqual([]);
      expect(valid.filter((text) => !check(text)).toSorted()).toEqual(
        differences.flatMap(([, refused]) => refused).toSorted(),
      );
    },
  );

  it('R-IV-15 R-IV-27 of URLs that the standard refuses none passes', () => {
    expect(URLS.failing).toHaveLength(70);
    expect(URLS.failing.filter((url) => isStrictUrl(url, ANY_URL))).toEqual([]);
    expect(URLS.failing.filter((url) => isSafeUrl(url, { schemes: ['http', 'https'] }))).toEqual([]);
  });

  it('R-IV-15 R-IV-27 of URLs that parsers repair only those pass that need no repair', () => {
    const passing = URLS.hosts.map(([url]) => url).filter((url) => isStrictUrl(url, ANY_URL));
    expect(passing).toEqual(STRICT_URLS);
    for (const [url, host] of URLS.hosts.filter(([one]) => passing.includes(one))) {
      expect(new URL(url).hostname).toBe(host);
      if (!host.startsWith('[')) expect(isStrictUrl(url, { ...ANY_URL, hosts: [host] }), url).toBe(true);
    }
  });

  it('R-IV-27 of these a server fetches none that leads to an address, however it is written', () => {
    const options = { schemes: ['http', 'https'], ports: [80, 443, 3000, 10_100] } as const;
    const fetched = URLS.hosts.map(([url]) => url).filter((url) => isSafeUrl(url, options));
    expect(fetched).toEqual([
      'http://facebook.com/?foo=%7B%22abc%22',
      'http://192.168.257.com',
      'http://256.com',
      'http://999999999.com',
      'http://10000000000.com',
    ]);
  });
});
