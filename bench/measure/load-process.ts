import { PinnedChild } from './child.js';
import type { LoadCommand, LoadReport, LoadResult, RunLoad, SignTokens } from './load-messages.js';

/** The load generator on core 1. */
export class LoadProcess {
  readonly #child = new PinnedChild<LoadCommand, LoadReport>(new URL('./load-worker.js', import.meta.url), 1);

  async signTokens(command: Omit<SignTokens, 'kind'>): Promise<void> {
    await this.#child.ask({ kind: 'tokens', ...command });
  }

  async run(command: Omit<RunLoad, 'kind'>): Promise<LoadResult> {
    const report = await this.#child.ask({ kind: 'run', ...command });
    if (report.kind === 'result') return report;
    throw new Error(report.kind === 'failed' ? report.reason : 'unexpected answer');
  }

  stop(): void {
    this.#child.stop();
  }
}
