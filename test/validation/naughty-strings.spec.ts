import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { PlainText, Public, SecurityEvents } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasRefusedText } from '../../lib/http/json/text-rules.js';
import { NAUGHTY_STRINGS } from '../corpora/corpora.js';
import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class Note {
  @IsString()
  @MaxLength(20_000)
  text!: string;
}

class Line {
  @PlainText({ maxLength: 20_000, multiline: true })
  text!: string;
}

@Controller()
@Public()
class NoteController {
  @Post('notes')
  create(@Body() note: Note): Note {
    return note;
  }

  @Get('notes')
  find(@Query() note: Note): Note {
    return note;
  }

  @Post('lines')
  line(@Body() line: Line): Line {
    return line;
  }
}

/** Text that turns or hides what is around it, which is refused where text for people is declared. */
const DECEIVING = /[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/;

/** Strings that are refused have their reason in the characters that they hold (R-IV-08). */
const refused = NAUGHTY_STRINGS.filter((text) => hasRefusedText(text));

describe.each(ADAPTERS)('naughty strings on %s', (adapter) => {
  let port: number;
  const lines: string[] = [];

  beforeAll(async () => {
    const log = (...words: unknown[]): void => void lines.push(words.join(' '));
    const { app, port: listening } = await startSecured(
      adapter,
      { logger: true, rateLimit: { read: false, write: false, address: false } },
      { controllers: [NoteController] },
      { logger: { log, error: log, warn: log } },
    );
    app.get(SecurityEvents).stream.subscribe((event) => void lines.push(JSON.stringify(event)));
    port = listening;
  });
  afterAll(closeApps);

  it('R-IV-08 R-IV-22 come back as they were sent, to the byte, or hold a control character', async () => {
    const wrong: string[] = [];
    for (const text of NAUGHTY_STRINGS) {
      const { status, json } = await send<Note & ErrorEnvelope>(port, 'POST', '/notes', { json: { text } });
      const isRefused = refused.includes(text);
      if (status !== (isRefused ? 400 : 201)) wrong.push(`${status} ${text}`);
      else if (isRefused ? json.error.code !== 'MALFORMED_REQUEST' : json.text !== text) wrong.push(text);
    }
    expect(refused).toHaveLength(3);
    expect(wrong).toEqual([]);
  });

  it('R-IV-18 R-IV-22 so they do through a query', async () => {
    const wrong: string[] = [];
    for (const text of NAUGHTY_STRINGS) {
      const path = `/notes?text=${encodeURIComponent(text)}`;
      const { status, json } = await send<Note>(port, 'GET', path);
      if (refused.includes(text) ? status !== 400 : json.text !== text) wrong.push(`${status} ${text}`);
    }
    expect(wrong).toEqual([]);
  });

  it('R-IV-22 and as text for people, but for what hides or turns it', async () => {
    const wrong: string[] = [];
    for (const text of NAUGHTY_STRINGS) {
      const { status, json } = await send<Line>(port, 'POST', '/lines', { json: { text } });
      const isRefused = refused.includes(text) || DECEIVING.test(text);
      if (isRefused ? status !== 400 : json.text !== text) wrong.push(`${status} ${text}`);
    }
    expect(wrong).toEqual([]);
  });

  it('R-IV-28 none of the refused ones is logged or in an event', () => {
    expect(lines.length).toBeGreaterThan(5);
    for (const text of refused) {
      const words = text.split(/[^\w ]+/).filter((part) => part.length > 8);
      expect(words.length).toBeGreaterThan(0);
      for (const word of words) expect(lines.filter((line) => line.includes(word))).toEqual([]);
    }
  });
});
