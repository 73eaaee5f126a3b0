import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { LimitOrder } from './limit-child.js';

/** Nodes in processes of their own, which share limits. */
export class LimitProcesses {
  /** What they run, as JavaScript: see `transpiled()`. */
  static readonly sources = ['lib', 'test/redis', 'test/support', 'test/rate-limit'];

  private constructor(private readonly children: readonly ChildProcess[]) {}

  /**
   * @param folder where the sources have been transpiled to
   * @param urls one server, or the nodes of a cluster
   */
  static async start(
    folder: string,
    count: number,
    urls: readonly string[],
    prefix: string,
  ): Promise<LimitProcesses> {
    const children = Array.from({ length: count }, () =>
      fork(`${folder}/test/redis/limit-child.js`, [urls.join(','), prefix], { execArgv: [] }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    return new LimitProcesses(children);
  }

  /** Gives all of them an order at the same time. */
  async ask<T>(orderOf: (index: number) => LimitOrder): Promise<T[]> {
    const answers = await this.askTogether<T>((index) => [orderOf(index)]);
    return answers.map(([answer]) => answer!);
  }

  /** Gives all of them several orders at the same time. @returns the answers of each */
  async askTogether<T>(ordersOf: (index: number) => readonly LimitOrder[]): Promise<T[][]> {
    const answers = this.children.map(async (child, index) => {
      const answer = once(child, 'message');
      child.send([...ordersOf(index)]);
      return (await answer)[0] as T[];
    });
    return Promise.all(answers);
  }

  /** Ends one without a word, as a crash would. */
  async kill(index: number): Promise<void> {
    const child = this.children[index]!;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async end(): Promise<void> {
    const left = this.children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      left.map((child) => {
        const gone = once(child, 'exit');
        child.disconnect();
        return gone;
      }),
    );
  }
}
