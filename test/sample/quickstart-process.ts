import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['lib', 'sample', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const START_TIMEOUT_MS = 30_000;

/** One running quickstart, as a process of its own. */
export interface Quickstart {
  readonly url: string;
  /** The key that it printed. */
  readonly apiKey: string;
  /** Everything it has printed so far. */
  output(): string;
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** A program of the samples. */
export interface SampleProcess {
  output(): string;
  /** Waits for what it prints. */
  until(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * The quickstart, built as `npm run build:sample` does it, but from a copy in a folder of its own: tests that run beside
 * this one may be using, or building, `dist`.
 */
export class QuickstartBuild {
  readonly #folder = mkdtempSync(join(tmpdir(), 'quickstart-'));
  #started = 0;

  constructor() {
    for (const name of SOURCES) cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
    const compiler = join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc');
    for (const project of ['tsconfig.build.json', 'sample/tsconfig.json']) {
      execFileSync(process.execPath, [compiler, '-p', project], {
        cwd: this.#folder,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts it on a free port. */
  async start(environment: Record<string, string> = {}): Promise<Quickstart> {
    const child = this.#spawn(environment);
    const output = collect(child);
    const url = await until(child, output, /listens on (http:\/\/\S+)/);
    const apiKey = await until(child, output, /API key +(sk_\S+)/);
    return { url, apiKey, output, stop: () => end(child, 'SIGTERM'), kill: () => end(child, 'SIGKILL') };
  }

  /** Runs a start that is expected to fail. */
  async failToStart(environment: Record<string, string>): Promise<{ code: number | null; output: string }> {
    const child = this.#spawn(environment);
    const output = collect(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return { code, output: output() };
  }

  /** Starts another program of the samples; a test ends it. */
  spawn(program: string, environment: Record<string, string>): SampleProcess {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [join('dist-sample', program)], {
      cwd: this.#folder,
      env: { PATH, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = collect(child);
    return {
      output,
      until: (pattern) => until(child, output, pattern),
      stop: () => end(child, 'SIGTERM'),
      kill: () => end(child, 'SIGKILL'),
    };
  }

  #spawn(environment: Record<string, string>): ChildProcess {
    const { PATH = '' } = process.env;
    return spawn(process.execPath, [join('dist-sample', 'quickstart', 'main.js')], {
      cwd: this.#folder,
      // Keys of its own, unless a test gives several processes the same.
      env: {
        PATH,
        PORT: '0',
        NO_COLOR: '1',
        DATABASE_URL: `file:data/${++this.#started}.db`,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exited;
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
