import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { type CodeBlock, codeBlocks, documentationFiles, ROOT } from './markdown-blocks.js';

const blocks = documentationFiles().flatMap(codeBlocks);

/** Compiles the blocks as modules of the project, without writing them to disk. */
function compileErrors(sources: readonly CodeBlock[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  // Examples declare what they do not go on to use.
  const relaxed = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const files = new Map(
    sources.map((block, index) => [join(ROOT, 'test', 'docs', `block-${index}.ts`), block] as const),
  );
  const host = ts.createCompilerHost(relaxed);
  const getSourceFile = host.getSourceFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const block = files.get(path);
    return block
      ? ts.createSourceFile(path, `${block.code}\nexport {};\n`, {
          ...(rest[0] as object),
          languageVersion: ts.ScriptTarget.ES2023,
          impliedNodeFormat: ts.ModuleKind.ESNext,
        })
      : getSourceFile(path, ...rest);
  };
  const program = ts.createProgram([...files.keys()], relaxed, host);
  return [...files].flatMap(([path, { where }]) => {
    const source = program.getSourceFile(path);
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return diagnostics.map(({ messageText, start }) => {
      const line = source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${where} +${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

describe('documentation', () => {
  it('has examples that compile against the package', { timeout: 120_000 }, () => {
    const runnable = blocks.filter(({ info }) => info === 'ts runnable');
    expect(runnable.length).toBeGreaterThan(10);
    expect(compileErrors(runnable)).toEqual([]);
  });

  it('would notice an example that does not compile', { timeout: 120_000 }, () => {
    const wrong = {
      where: 'x.md:1',
      info: 'ts runnable',
      code: `import { Nothing } from 'nestjs-api-security';`,
    };
    expect(compileErrors([wrong])).toEqual([expect.stringContaining('Nothing')]);
  });

  it.each(blocks.filter(({ info }) => info === 'json'))('has JSON that parses at $where', ({ code }) => {
    expect(() => JSON.parse(code) as unknown).not.toThrow();
  });

  it.each(documentationFiles())('%s links to files that exist', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!.split('#')[0]!);
    const missing = targets.filter(
      (target) => target !== '' && !/^https?:/.test(target) && !existsSync(join(ROOT, dirname(file), target)),
    );
    expect(missing).toEqual([]);
  });

  it('R-CF-01 explains every code of a configuration problem', () => {
    const page = readFileSync(join(ROOT, 'docs', 'configuration-errors.md'), 'utf8');
    const folder = join(ROOT, 'lib');
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const codes = sources.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/\.add\(\s*'([a-z-]+(?:\.[\w-]+)+)'/g)].map(
        (match) => match[1]!,
      ),
    );
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('R-CF-09 lists every requirement with the tests that show it, up to date', () => {
    const check = () =>
      execFileSync(process.execPath, ['docs/generate-conformance.mjs', '--check'], {
        cwd: ROOT,
        stdio: 'pipe',
      });
    expect(check).not.toThrow();
  });
});
