import * as cv from 'class-validator';
import {
  IsBase64Url,
  IsCurrencyCode,
  IsDecimalString,
  IsE164,
  IsEmailAddress,
  IsFullDate,
  IsHostname,
  IsIpAddress,
  IsLanguageTag,
  IsRfc3339,
  IsStrictUrl,
  IsStrictUuid,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { bodyOf, strict, verdictOf } from '../verdict.js';

/** What class-validator's own decorator takes and ours refuses; docs/formats.md lists these. */
const ACCEPTED_WRONGLY: readonly [
  theirs: () => PropertyDecorator,
  ours: () => PropertyDecorator,
  texts: string[],
][] = [
  [
    cv.IsUrl,
    () => IsStrictUrl({ schemes: ['https', 'http'] }),
    [
      'example.com',
      'ftp://example.com',
      'http://user:pw@example.com',
      'a.co@example.com',
      'http://example.com\\@evil.example',
      'https://example.com/"onload=',
      'https://example.com/\u202e',
      'http://example.com/%zz',
      'http://xn--a.com',
    ],
  ],
  [
    () => cv.IsEmail(),
    () => IsEmailAddress(),
    [
      '"<script>alert(1)</script>"@example.com',
      '"a b"@example.com',
      '\u202ea@example.com',
      'a\u200bb@example.com',
      'a\u00adb@example.com',
      'ａ@example.com',
      'a@xn--a.com',
    ],
  ],
  [() => cv.IsRFC3339(), () => IsRfc3339(), ['2026-02-30T10:00:00Z', '2026-02-31 10:00:00Z']],
  [() => cv.IsDateString(), () => IsFullDate(), ['2026', '2026-02-30', '2026-W01', '20260101']],
  [
    () => cv.IsISO8601({ strict: true }),
    () => IsRfc3339(),
    ['2026', '2026-W01', '2026-001', '2026-01-01T10', '2026-01-01T10:00:00'],
  ],
  [() => cv.IsIP(), () => IsIpAddress(), ['fe80::1%eth0']],
  [
    () => cv.IsFQDN(),
    () => IsHostname(),
    ['xn--a.com', 'ex.xn--zn7c', 'exa。com.au', 'a.com\u200d', 'a.co\u00ad'],
  ],
  [
    () => cv.IsUUID(),
    () => IsStrictUuid(),
    ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ],
  [() => cv.IsNumberString(), () => IsDecimalString(), ['+1', '01', '.5', '-0']],
  [() => cv.IsDecimal(), () => IsDecimalString(), ['+1', '01', '.5', '-0', '1'.repeat(100)]],
  [() => cv.IsBase64({ urlSafe: true }), () => IsBase64Url(), ['', 'A', 'AR']],
  [() => cv.IsLocale(), () => IsLanguageTag(), ['en_US', 'zh_Hans_CN', 'i-klingon']],
  [() => cv.IsISO4217CurrencyCode(), () => IsCurrencyCode(), ['usd', 'XXX', 'XTS', 'BGN']],
  [
    () => cv.IsPhoneNumber(),
    () => IsE164(),
    ['+49 30 1234567', '+1 (212) 555-0100', 'tel:+12125550100', '+12125552368 ext. 5'],
  ],
];

function dtoWith(decorator: PropertyDecorator): new () => object {
  class Dto {
    value!: string;
  }
  Reflect.defineMetadata('design:type', String, Dto.prototype, 'value');
  decorator(Dto.prototype, 'value');
  return Dto;
}

describe('what class-validator takes', () => {
  it.each(ACCEPTED_WRONGLY.map(([theirs, ours, texts], index) => ({ index, theirs, ours, texts })))(
    'R-IV-15 and its stricter sister refuses: $texts',
    async ({ theirs, ours, texts }) => {
      const loose = bodyOf(dtoWith(theirs()));
      const tight = bodyOf(dtoWith(ours()));
      for (const value of texts) {
        expect(
          (await verdictOf(strict, { value }, loose)).status,
          `${value} is refused upstream by now`,
        ).toBe(200);
        expect(await verdictOf(strict, { value }, tight), value).toMatchObject({
          status: 400,
          code: 'VALIDATION_FAILED',
        });
      }
    },
  );
});
