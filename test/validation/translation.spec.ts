import { Body, Controller, Post } from '@nestjs/common';
import { IsInt, IsString, MaxLength } from 'class-validator';
import fc from 'fast-check';
import { type DetailTranslator, Public } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { preferredLanguage, translated } from '../../lib/validation/translation.js';
import { ADAPTERS } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class Thing {
  @IsString()
  @MaxLength(5)
  name!: string;

  @IsInt()
  size!: number;
}

@Controller()
@Public()
class ThingsController {
  @Post('things')
  create(@Body() thing: Thing): unknown {
    return thing;
  }
}

const GERMAN: Readonly<Record<string, string>> = {
  isInt: 'muss eine ganze Zahl sein',
  whitelist: 'ist unbekannt',
};
const translate: DetailTranslator = ({ path, rule, message }, language) =>
  language.startsWith('de') ? `${path} ${GERMAN[rule] ?? message}` : message;

afterEach(closeApps);

describe.each(ADAPTERS)('messages in the language of the client on %s', (adapter) => {
  it('R-IV-28 come from a function; path, rule and order stay', async () => {
    const { port } = await startSecured(
      adapter,
      { validation: { translate } },
      { controllers: [ThingsController] },
    );
    const post = async (json: unknown, language?: string) =>
      (
        await send<ErrorEnvelope>(port, 'POST', '/things', {
          json,
          headers: language === undefined ? {} : { 'accept-language': language },
        })
      ).json.error.details;
    expect(await post({ name: 'toolong', size: '1' }, 'fr;q=0.5, de-AT')).toEqual([
      {
        path: 'name',
        rule: 'maxLength',
        message: expect.stringContaining('name name must be shorter') as string,
      },
      { path: 'size', rule: 'isInt', message: 'size muss eine ganze Zahl sein' },
    ]);
    expect(await post({ name: 'a', size: 1, evil: 1 }, 'de')).toEqual([
      { path: 'evil', rule: 'whitelist', message: 'evil ist unbekannt' },
    ]);
    expect((await post({ name: 'a', size: '1' }))![0]!.message).toBe('size must be an integer number');
  });
});

describe('translated', () => {
  const DETAILS = [{ path: 'a', rule: 'isInt', message: 'original' }];
  const messageBy = (translator: unknown): string =>
    translated(DETAILS, translator as DetailTranslator, 'de')[0]!.message;

  it.each([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns no text', () => 5],
    ['returns an empty text', () => ''],
    ['would have to be waited for', async () => Promise.reject(new Error('x'))],
  ])('R-IV-28 a translator that %s changes nothing', (_, translator) => {
    expect(messageBy(translator)).toBe('original');
  });

  it('R-IV-28 cannot change path or rule, or write at length', () => {
    const details = translated(
      DETAILS,
      (detail) => {
        Object.assign(detail, { path: 'evil', rule: 'evil' });
        return '😀'.repeat(1_000);
      },
      'de',
    );
    expect(details[0]).toMatchObject({ path: 'a', rule: 'isInt' });
    expect(details[0]!.message).toBe('😀'.repeat(128));
    expect(messageBy(() => `x${'😀'.repeat(500)}`)).toBe(`x${'😀'.repeat(127)}`);
    expect(DETAILS[0]).toEqual({ path: 'a', rule: 'isInt', message: 'original' });
  });

  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['de', 'de'],
    ['de-AT, en;q=0.9', 'de-AT'],
    ['en;q=0.5, pt-BR;q=0.9', 'pt-BR'],
    ['fr;q=0, de;q=0.1', 'de'],
    ['fr;q=0', 'en'],
    ['zh-Hant-TW', 'zh-Hant-TW'],
    ['<script>, de', 'de'],
    ['de;q=x', 'en'],
    ['a'.repeat(1_000), 'en'],
  ])('R-IV-28 reads %j as %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });

  it('R-IV-28 whatever the header is, a language is a short tag', () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (header) => {
        expect(preferredLanguage(header)).toMatch(/^[A-Za-z0-9-]{1,35}$/);
      }),
    );
  });
});
