import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A child process on one core (where `taskset` exists), asked and answering one message at a time. */
export class PinnedChild<Command, Report extends { readonly kind: string }> {
  readonly #process: ChildProcess;

  constructor(script: URL, core: number, args: readonly string[] = []) {
    const command = [process.execPath, fileURLToPath(script), ...args];
    const pinned = process.platform === 'linux' ? ['taskset', '-c', String(core), ...command] : command;
    this.#process = spawn(pinned[0] ?? '', pinned.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  ask(command: Command): Promise<Report> {
    const answer = this.next();
    // Commands are plain data, which is all that IPC takes.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.#process.send(command as object);
    return answer;
  }

  next(): Promise<Report> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => {
        reject(new Error(`child process ended with ${String(code)}`));
      };
      this.#process.once('exit', onExit);
      this.#process.once('message', (message) => {
        this.#process.off('exit', onExit);
        // The scripts are our own and send nothing else.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        resolve(message as Report);
      });
    });
  }

  stop(): void {
    this.#process.disconnect();
  }
}
