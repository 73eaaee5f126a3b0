import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

import { IsIn, IsOptional, IsString } from 'class-validator';
import { partialOf } from 'nestjs-api-security';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { placesOf } from '../../lib/validation/audit/class-places.js';
import { scriptLocations } from '../../lib/validation/audit/script-locations.js';
import { sourcePosition } from '../../lib/validation/audit/source-position.js';
import { groupClass } from '../../lib/validation/derived/group-class.js';
import { pageDto } from '../../lib/validation/page/page-dto.js';
import { transpiled } from '../support/transpiled.js';

class HereDto {
  @IsString()
  @IsIn(['a'], { groups: ['some'] })
  name!: string;
}

class FilterDto {
  @IsOptional()
  @IsString()
  word?: string;
}

class ChangeDto extends partialOf(HereDto) {}

const FILE = 'test/validation/class-places.spec.ts';
const LINES = readFileSync(FILE, 'utf8').split('\n');
const lineOf = (name: string): string =>
  `${FILE}:${LINES.findIndex((line) => line.startsWith(`class ${name} `)) + 1}`;

afterEach(() => vi.restoreAllMocks());

describe('places of classes', () => {
  it('R-CF-01 are a file and a line of the source', () => {
    expect([...placesOf([HereDto, FilterDto, HereDto])]).toEqual([
      [HereDto, lineOf('HereDto')],
      [FilterDto, lineOf('FilterDto')],
    ]);
  });

  it('R-CF-01 are those of the class that somebody wrote', () => {
    const [grouped, page, partial] = [
      groupClass(HereDto, ['some']),
      pageDto({ filter: FilterDto }),
      groupClass(partialOf(HereDto), ['some']),
    ];
    const places = placesOf([grouped, page, partial, ChangeDto]);
    expect(places.get(grouped)).toBe(lineOf('HereDto'));
    expect(places.get(page)).toBe(lineOf('FilterDto'));
    expect(places.get(partial)).toBe(lineOf('HereDto'));
    expect(places.get(ChangeDto)).toBe(lineOf('ChangeDto'));
  });

  it('R-CF-01 are asked for once', () => {
    const connect = vi.spyOn(Session.prototype, 'connect');
    class OnceDto {}
    for (let i = 0; i < 3; i++) expect(placesOf([OnceDto, HereDto]).size).toBe(2);
    expect(connect).toHaveBeenCalledTimes(1);
  });
});

describe('the look at scripts', () => {
  it('leaves nothing behind', () => {
    const post = vi.spyOn(Session.prototype, 'post');
    const disconnect = vi.spyOn(Session.prototype, 'disconnect');
    expect(scriptLocations([HereDto]).size).toBe(1);
    const asked: string[] = post.mock.calls.map(([method]) => method);
    expect([asked[0], asked.at(-1)]).toEqual(['Debugger.enable', 'Debugger.disable']);
    expect(disconnect).toHaveBeenCalledTimes(1);
    expect(Object.getOwnPropertySymbols(globalThis)).not.toContain(Symbol.for('nestjs-api-security.located'));
  });

  it('does not begin where nothing is asked', () => {
    const connect = vi.spyOn(Session.prototype, 'connect');
    expect(scriptLocations([]).size).toBe(0);
    expect(connect).not.toHaveBeenCalled();
  });

  it('leaves out what has no script', () => {
    class Known {}
    const bound = HereDto.bind(undefined);
    expect([...scriptLocations<object>([Map, bound, new Proxy(Known, {}), {}, Known]).keys()]).toEqual([
      Known,
    ]);
  });

  it('does without an inspector, and without leave to use one', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValueOnce(undefined);
    expect(scriptLocations([HereDto]).size).toBe(0);
    vi.spyOn(Session.prototype, 'connect').mockImplementationOnce(() => {
      throw new Error('ERR_ACCESS_DENIED');
    });
    expect(scriptLocations([HereDto]).size).toBe(0);
  });

  it.each(['Debugger.enable', 'Runtime.evaluate', 'Runtime.getProperties'])(
    'lets go when %s fails or does not answer',
    (failing) => {
      const post = Reflect.get(Session.prototype, 'post') as (this: Session, ...args: unknown[]) => void;
      const disconnect = vi.spyOn(Session.prototype, 'disconnect');
      for (const answer of [(done: (error: Error) => void) => done(new Error('no')), () => undefined]) {
        vi.spyOn(Session.prototype, 'post').mockImplementation(function (this: Session, ...args: unknown[]) {
          if (args[0] === failing) answer(args[2] as (error: Error) => void);
          else post.apply(this, args);
        });
        expect(scriptLocations([HereDto]).size).toBe(0);
      }
      expect(disconnect).toHaveBeenCalledTimes(2);
      expect(Symbol.for('nestjs-api-security.located') in globalThis).toBe(false);
    },
  );

  it('ends when its time is up', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 30));
    const classes = Array.from({ length: 10 }, () => class {});
    expect(scriptLocations(classes).size).toBe(1);
  });
});

describe('the position in a source', () => {
  const at = (url: string, sourceMapUrl = ''): string | undefined =>
    sourcePosition({ url, sourceMapUrl, line: 4, column: 2 }, new Map());
  const here = new URL('../../nowhere/a.js', import.meta.url).href;

  it('is that in the script without a map, or with a bad one', () => {
    const place = 'nowhere/a.js:5';
    expect(at(here)).toBe(place);
    for (const map of [
      'a.js.map',
      'http://[',
      'https://example.com/a.map',
      'data:application/json,{',
      'data:,',
    ])
      expect([map, at(here, map)]).toEqual([map, place]);
  });

  it('is the whole path outside of the working directory', () => {
    expect(at('file:///elsewhere/a.js')).toBe('/elsewhere/a.js:5');
  });

  it.each(['', 'node:fs', 'evalmachine.<anonymous>', 'https://example.com/a.js', 'file://host/a.js'])(
    'is none of %j',
    (url) => {
      expect(at(url)).toBeUndefined();
    },
  );
});

describe('a process of its own', () => {
  const DTO = "\n\nexport class CreateDto {\n  name = '';\n}\n";
  const build = transpiled(
    'lib/validation',
    'lib/errors',
    'lib/http',
    'lib/configuration',
    'lib/policy',
    'lib/principal',
  );

  beforeAll(() => {
    for (const [kind, module, extension] of [
      ['cjs', ts.ModuleKind.CommonJS, 'cjs'],
      ['esm', ts.ModuleKind.ESNext, 'mjs'],
    ] as const) {
      const { outputText, sourceMapText } = ts.transpileModule(DTO, {
        fileName: `${kind}.dto.ts`,
        compilerOptions: { module, target: ts.ScriptTarget.ES2022, sourceMap: true, removeComments: true },
      });
      const name = `${kind}.dto.${extension}`;
      writeFileSync(
        join(build.folder, name),
        outputText.replace(/sourceMappingURL=.*/, `sourceMappingURL=${name}.map`),
      );
      writeFileSync(join(build.folder, `${name}.map`), sourceMapText!);
    }
    writeFileSync(
      join(build.folder, 'main.mjs'),
      `import { createRequire } from 'node:module';
      import { placesOf } from './lib/validation/audit/class-places.js';
      import { CreateDto } from './esm.dto.mjs';
      const cjs = createRequire(import.meta.url)('./cjs.dto.cjs').CreateDto;
      console.log(JSON.stringify([...placesOf([cjs, CreateDto]).values()]));`,
    );
  });
  afterAll(() => build.remove());

  it.each([[[]], [['--enable-source-maps']]])(
    'R-CF-01 knows the sources of CommonJS and of modules, with %j',
    (flags) => {
      const output = execFileSync(process.execPath, [...flags, 'main.mjs'], {
        cwd: build.folder,
        encoding: 'utf8',
      });
      expect(JSON.parse(output)).toEqual(['cjs.dto.ts:3', 'esm.dto.ts:3']);
    },
  );
});
