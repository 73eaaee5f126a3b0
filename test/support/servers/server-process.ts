import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { listen } from '../listen.js';

/** A real database server in a process of its own, on a free port of 127.0.0.1. */
export interface DatabaseServer {
  readonly port: number;
  /** With user, password and database. */
  readonly url: string;
  /** Part of the URL, to look for where it must not be. */
  readonly password: string;
  /** Ends it at once, with all connections; does nothing if it is not running. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with what it has on disk. */
  start(): Promise<void>;
  /** Stops it and removes its files. */
  close(): Promise<void>;
}

/** Who a server runs as: database servers refuse to be root. */
export type ServerUser = { readonly uid: number; readonly gid: number } | Record<string, never>;

const run = promisify(execFile);
const START_MS = 20_000;

/** `nobody`, if we are root. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** An empty folder of that user's. */
export function serverFolder(name: string, user: ServerUser): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/**
 * A port that nobody listened on a moment ago, below those that systems give to outgoing connections: from among these
 * somebody else's connection may take it before the server does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    const probe = createServer();
    try {
      await listen(probe, port);
    } catch {
      continue;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/** Runs a program to its end. @throws Error with its output */
export async function runAs(
  user: ServerUser,
  binary: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  await run(binary, args, { ...user, cwd, env: { ...process.env, HOME: cwd } });
}

/**
 * Starts a server, and waits until it answers.
 * @param answers rejects for as long as the server does not
 * @throws Error with the server's output
 */
export async function launch(
  user: ServerUser,
  [binary, ...args]: readonly [string, ...string[]],
  cwd: string,
  answers: () => Promise<void>,
): Promise<ChildProcess> {
  const child = spawn(binary, args, {
    ...user,
    cwd,
    env: { ...process.env, HOME: cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Nobody is left to stop it if the test process ends early.
  const end = () => child.kill('SIGQUIT');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      await answers();
      return child;
    } catch (cause) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await kill(child, 'SIGKILL');
        throw new Error(`${binary} did not start: ${output}`, { cause });
      }
    }
    await delay(30);
  }
}

/** Ends a process, and waits until it is gone. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
