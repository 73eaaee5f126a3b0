import { PinnedChild } from './child.js';
import type { ServerCommand, ServerReport, ServerSetup } from './server-messages.js';

/** A contestant's server on core 0. */
export class ServerProcess {
  readonly #child: PinnedChild<ServerCommand, ServerReport>;
  readonly port: number;
  /** The API key that this server takes. */
  readonly apiKey: string;

  private constructor(child: PinnedChild<ServerCommand, ServerReport>, port: number, apiKey: string) {
    this.#child = child;
    this.port = port;
    this.apiKey = apiKey;
  }

  static async start(setup: ServerSetup): Promise<ServerProcess> {
    const script = new URL('../apps/server.js', import.meta.url);
    const child = new PinnedChild<ServerCommand, ServerReport>(script, 0, [JSON.stringify(setup)]);
    const report = await child.next();
    if (report.kind === 'ready') return new ServerProcess(child, report.port, report.apiKey);
    child.stop();
    throw new Error(report.kind === 'failed' ? report.reason : 'unexpected answer');
  }

  /** CPU time so far, user and system, in microseconds. */
  async cpuMicros(): Promise<number> {
    const report = await this.#child.ask('cpu');
    if (report.kind !== 'cpu') throw new Error('unexpected answer');
    return report.micros;
  }

  stop(): void {
    this.#child.stop();
  }
}
