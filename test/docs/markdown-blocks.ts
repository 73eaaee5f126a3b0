import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of code in a Markdown file. */
export interface CodeBlock {
  /** File and line, as `docs/jwt.md:12`. */
  readonly where: string;
  /** What stands behind the fence: `ts runnable`. */
  readonly info: string;
  readonly code: string;
}

/** The Markdown files that people read, relative to the project. */
export function documentationFiles(): string[] {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CHANGELOG.md', ...pages.map((name) => `docs/${name}`)].toSorted();
}

/** All fenced blocks of a file. */
export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(ROOT, file), 'utf8').split('\n').entries()) {
    if (!line.startsWith('```')) {
      open?.lines.push(line);
    } else if (open) {
      blocks.push({ where: `${file}:${open.line}`, info: open.info, code: open.lines.join('\n') });
      open = undefined;
    } else {
      open = { line: index + 1, info: line.slice(3).trim(), lines: [] };
    }
  }
  return blocks;
}
