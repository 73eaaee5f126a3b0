import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { serverLibrary } from './server-binary.js';

/** A wall clock that servers are given, and that a test sets; their monotonic clock goes on. */
export interface SteppedClock {
  /** For the servers' environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets it to so many milliseconds ahead of the machine's. */
  set(aheadMs: number): void;
  close(): void;
}

/** @throws Error with the command that installs what it needs */
export async function steppedClock(): Promise<SteppedClock> {
  const faketime = await serverLibrary('/usr/lib/*/faketime/libfaketimeMT.so.1', 'libfaketime');
  // The allocator that Redis comes with asks for the time before there is any.
  const allocator = await serverLibrary('/usr/lib/*/libtcmalloc_minimal.so.4', 'libtcmalloc-minimal4');
  const folder = mkdtempSync(join(tmpdir(), 'clock-'));
  const file = join(folder, 'ahead');
  const clock: SteppedClock = {
    env: {
      LD_PRELOAD: `${allocator}:${faketime}`,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set(aheadMs) {
      const seconds = (aheadMs / 1_000).toFixed(3);
      // Never half a text.
      writeFileSync(`${file}.new`, aheadMs < 0 ? seconds : `+${seconds}`);
      renameSync(`${file}.new`, file);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
  clock.set(0);
  return clock;
}
