import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Sources as JavaScript in a folder of their own, for processes that a test starts; without looking at types, which is done
 * elsewhere and takes long.
 *
 * @param sources files and folders of the project
 */
export function transpiled(...sources: readonly string[]): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'transpiled-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const source of sources) transpile(source, folder);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

function transpile(source: string, folder: string): void {
  const paths = source.endsWith('.ts')
    ? [source]
    : readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => join(source, path));
  for (const path of paths) {
    const target = join(folder, path.replace(/\.ts$/, '.js'));
    const compilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
    };
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), { compilerOptions });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}
