import { compileFunction } from 'node:vm';

import * as kysely from 'kysely';
import Database from 'libsql';
import * as main from 'nestjs-api-security';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeBlocks } from './markdown-blocks.js';

interface Tables {
  books: { id: number; title: string; author: string };
}
type Book = Tables['books'];

/** What the page shows for Kysely. */
interface Shown {
  readonly findBooks: (db: kysely.Kysely<Tables>, author: string, order: string) => Promise<Book[]>;
  readonly searchBooks: (db: kysely.Kysely<Tables>, words: string) => Promise<Book[]>;
}

/** Runs the block of a page that has a text in it, and hands out its exports. */
function run(page: string, text: string): Shown {
  const { code } = codeBlocks(page).find(
    (block) => block.info === 'ts runnable' && block.code.includes(text),
  )!;
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const exports = {};
  const modules: Record<string, unknown> = { kysely, 'nestjs-api-security': main };
  compileFunction(outputText, ['exports', 'require'])(exports, (name: string) => modules[name]);
  return exports as Shown;
}

/** As they stand in lists of injections; none of them means anything in a parameter. */
const INJECTIONS = [
  `' OR '1'='1`,
  `' OR 1=1 --`,
  `" OR ""="`,
  `') OR ('a'='a`,
  `'; DROP TABLE books; --`,
  `' UNION SELECT 1, name, sql FROM sqlite_master --`,
  `admin'/*`,
  `' AND SLEEP(5) --`,
  `\\' OR 1=1 --`,
  `%`,
  `_`,
  `%' --`,
  `\\`,
  `\\%`,
  `{"$gt":""}`,
  `$where`,
  `0x27204F5220313D31`,
  `ʼ OR 1=1`,
  `\uff07 OR 1=1`,
];

describe('docs/sanitizing.md', () => {
  const { findBooks, searchBooks } = run('docs/sanitizing.md', 'searchBooks');
  const db = new kysely.Kysely<Tables>({
    dialect: new kysely.SqliteDialect({ database: new Database(':memory:') }),
  });
  const books: Book[] = [...INJECTIONS, 'Ada', '100% pure', 'a_b', 'c\\d'].map((text, id) => ({
    id,
    title: `T: ${text}`,
    author: text,
  }));

  beforeAll(async () => {
    await db.schema
      .createTable('books')
      .addColumn('id', 'integer')
      .addColumn('title', 'text')
      .addColumn('author', 'text')
      .execute();
    await db.insertInto('books').values(books).execute();
  });
  afterAll(() => db.destroy());

  it.each(INJECTIONS)('R-IV-25 as a parameter %j finds what is so called, and nothing else', async (text) => {
    expect(await findBooks(db, text, 'title')).toEqual(books.filter(({ author }) => author === text));
    const found = await searchBooks(db, text);
    const same = books.filter(({ title }) => title.toLowerCase().includes(text.toLowerCase()));
    expect(found.map(({ id }) => id)).toEqual(same.map(({ id }) => id));
    expect(await db.selectFrom('books').selectAll().execute()).toEqual(books);
  });

  it.each(['name', 'title; DROP TABLE books', 'title desc', '(SELECT 1)', 'constructor', ''])(
    'R-IV-20 R-IV-25 nothing is ordered by %j',
    (order) => {
      expect(() => findBooks(db, 'Ada', order)).toThrow(main.SecurityError);
    },
  );
});
