import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'dist-sample', 'quickstart', 'main.js');
const START_TIMEOUT_MS = 30_000;

/** Builds what the sample runs from (`dist`, then `dist-sample`), each only if its sources are newer. */
export function buildQuickstart(): void {
  const library = newest(join(ROOT, 'lib'));
  if (library > newest(join(ROOT, 'dist'), 'oldest')) nestBuild();
  const sources = Math.max(library, newest(join(ROOT, 'sample')));
  if (sources > newest(join(ROOT, 'dist-sample'), 'oldest')) nestBuild('sample');
}

function nestBuild(...project: string[]): void {
  const nest = join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  execFileSync(process.execPath, [nest, 'build', ...project], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

// The compiler writes all files of a build anew, so its oldest one tells when the build was made; 0 if there is none.
function newest(folder: string, which: 'newest' | 'oldest' = 'newest'): number {
  try {
    const times = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.tsbuildinfo'))
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
    if (times.length === 0) return 0;
    return which === 'newest' ? Math.max(...times) : Math.min(...times);
  } catch {
    return 0;
  }
}

/** One running quickstart, as a process of its own. */
export interface Quickstart {
  readonly url: string;
  /** The key that it printed. */
  readonly apiKey: string;
  /** Everything it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts the built quickstart on a free port. */
export async function startQuickstart(environment: Record<string, string> = {}): Promise<Quickstart> {
  const child = spawnQuickstart(environment);
  const output = collect(child);
  const url = await until(child, output, /listens on (http:\/\/\S+)/);
  const apiKey = await until(child, output, /API key +(sk_\S+)/);
  return {
    url,
    apiKey,
    output,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Runs a start that is expected to fail. */
export async function failToStart(
  environment: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const child = spawnQuickstart(environment);
  const output = collect(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, output: output() };
}

function spawnQuickstart(environment: Record<string, string>): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [MAIN], {
    cwd: ROOT,
    env: { PATH, PORT: '0', NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

async function until(child: ChildProcess, output: () => string, pattern: RegExp): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const found = pattern.exec(output())?.[1];
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`The quickstart did not print ${pattern.source}:\n${output()}`);
}
