import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { IsString } from 'class-validator';
import { Public } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { hasPiledMarks } from '../../../lib/http/json/piled-marks.js';
import { ADAPTERS, closeApps } from '../../support/bare-app.js';
import { type ErrorEnvelope, send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';

/** In the wrong order, so that normalising has to sort them. */
const pile = (count: number): string => 'a' + '\u0301\u0327'.repeat(count / 2);

class TextDto {
  @IsString()
  text!: string;
}

@Controller('texts')
@Public()
class TextsController {
  @Post()
  create(@Body() { text }: TextDto): { length: number } {
    return { length: text.length };
  }

  @Get()
  find(@Query('text') text: string): { length: number } {
    return { length: text.length };
  }
}

describe('piled marks', () => {
  it('R-IV-16 are more than thirty on one letter, as UAX #15 has it', () => {
    expect(hasPiledMarks(pile(30))).toBe(false);
    expect(hasPiledMarks(pile(32))).toBe(true);
    expect(hasPiledMarks(pile(30).repeat(1_000))).toBe(false);
    expect(hasPiledMarks('नमस्ते ภาษาไทย שָׁלוֹם Việt')).toBe(false);
  });
});

describe.each(ADAPTERS)('piled marks on %s', (adapter) => {
  afterEach(closeApps);

  it('R-IV-08 R-IV-16 are refused before they are put in order, which would take seconds', async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [TextsController] });
    expect(await send(port, 'POST', '/texts', { json: { text: pile(30) } })).toMatchObject({ status: 201 });
    for (const json of [{ text: pile(48_000) }, { [pile(120)]: 1 }]) {
      const began = performance.now();
      const { status, json: answer } = await send<ErrorEnvelope>(port, 'POST', '/texts', { json });
      expect([status, answer.error.code]).toEqual([400, 'MALFORMED_REQUEST']);
      // Alone it takes a few milliseconds; sorted, the first takes two seconds and more.
      expect(performance.now() - began).toBeLessThan(500);
    }
    const query = (text: string) =>
      send<ErrorEnvelope>(port, 'GET', `/texts?text=${encodeURIComponent(text)}`);
    expect((await query(pile(30))).status).toBe(200);
    expect((await query(pile(200))).json.error.code).toBe('MALFORMED_REQUEST');
  });
});
