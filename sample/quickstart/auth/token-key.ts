import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The secret with which signing keys are encrypted in the database, in base64: what the environment says, or else from a file
 * that is made at the first start. In production it belongs where neither the database nor its backups are.
 */
export function readTokenKey(given: string | undefined, file: string): string {
  if (given !== undefined) return given;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, randomBytes(32).toString('base64'), { mode: 0o600 });
  try {
    // Of several processes that start for the first time, one makes the file, whole.
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(own);
  }
  return readFileSync(file, 'utf8');
}
