import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOCK = join(tmpdir(), 'nestjs-api-security-apt.lock');
/** A lock that nobody has touched for so long was left behind by a process that died; milliseconds. */
const STALE_MS = 30_000;
const TOUCH_MS = 5_000;

/**
 * Path of a server's program. Where it is missing, root on Debian gets it from the distribution; test workers that need
 * it at the same time wait for each other.
 *
 * @param commands names to look for in PATH, or absolute paths in which a segment `*` stands for any one folder, the
 *   highest version first
 * @throws Error with the command to run
 */
export async function serverBinary(commands: readonly string[], debianPackage: string): Promise<string> {
  return find(commands, debianPackage, constants.X_OK);
}

/** The same for a library, of which the path is known. */
export async function serverLibrary(path: string, debianPackage: string): Promise<string> {
  return find([path], debianPackage, constants.R_OK);
}

async function find(commands: readonly string[], debianPackage: string, access: number): Promise<string> {
  const found = locate(commands, access);
  if (found !== undefined) return found;
  const byHand = `apt-get install -y --no-install-recommends ${debianPackage}`;
  const missing = `none of ${commands.join(', ')} is installed: run \`${byHand}\``;
  if (process.getuid?.() !== 0 || locate(['apt-get']) === undefined) throw new Error(missing);
  try {
    await locked(async () => {
      if (locate(commands, access) === undefined) await install(debianPackage);
    });
  } catch (cause) {
    throw new Error(missing, { cause });
  }
  const installed = locate(commands, access);
  if (installed === undefined) throw new Error(missing);
  return installed;
}

function locate(commands: readonly string[], access: number = constants.X_OK): string | undefined {
  for (const command of commands) {
    const candidates = command.startsWith('/')
      ? expand(command)
      : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command));
    const found = candidates.find((path) => isThere(path, access));
    if (found !== undefined) return found;
  }
  return undefined;
}

function expand(pattern: string): string[] {
  let paths = ['/'];
  for (const segment of pattern.split('/').slice(1)) {
    paths = paths.flatMap((path) =>
      segment === '*' ? entriesOf(path).map((entry) => join(path, entry)) : [join(path, segment)],
    );
  }
  return paths;
}

/** Highest version first. */
function entriesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).toSorted((one, other) => other.localeCompare(one, undefined, { numeric: true }));
}

function isThere(path: string, access: number): boolean {
  try {
    accessSync(path, access);
    return true;
  } catch {
    return false;
  }
}

/** Runs one process at a time. */
async function locked(task: () => Promise<void>): Promise<void> {
  while (!(await takeLock())) await delay(200);
  const alive = setInterval(() => void touch(), TOUCH_MS);
  try {
    await task();
  } finally {
    clearInterval(alive);
    await rm(LOCK, { recursive: true, force: true });
  }
}

async function takeLock(): Promise<boolean> {
  try {
    await mkdir(LOCK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const { mtimeMs } = await stat(LOCK).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(LOCK, { recursive: true, force: true });
    return false;
  }
}

async function touch(): Promise<void> {
  const now = new Date();
  await utimes(LOCK, now, now).catch(() => undefined);
}

async function install(debianPackage: string): Promise<void> {
  // Debian starts a server that it installs; the tests start their own, on ports of their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const flags = ['-o', 'DPkg::Lock::Timeout=300', '-y', '--no-install-recommends'];
  const get = () => run('apt-get', ['install', ...flags, debianPackage], { env });
  try {
    await get();
  } catch {
    await run('apt-get', ['update'], { env });
    await get();
  }
}
