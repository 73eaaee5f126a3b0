import type { AdapterName, Algorithm } from '../apps/contestant.js';
import type { Measurement, WorkloadResult } from '../report/markdown.js';
import { API_KEY, checksOf, type Workload } from '../report/workloads.js';
import type { BenchKeys } from './keys.js';
import { LoadProcess } from './load-process.js';
import { ServerProcess } from './server-process.js';

export interface Effort {
  readonly rounds: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly roundMs: number;
  /** Tokens that a server sees for the first time, in one round and in the warm-up. */
  readonly freshTokens: number;
}

/** Runs all contestants of a workload, one after another in each round, so that a slow minute hits all of them. */
export async function runWorkload(
  workload: Workload,
  adapter: AdapterName,
  keys: Readonly<Record<Algorithm, BenchKeys>>,
  effort: Effort,
): Promise<WorkloadResult> {
  const { privateKey, credentials } = keys[workload.algorithm];
  const servers = new Map<string, ServerProcess>();
  const load = new LoadProcess();
  try {
    const count = workload.freshTokens ? effort.freshTokens * (effort.rounds + 1) + 1 : 1;
    await load.signTokens({ ...credentials, privateKey, count });
    for (const contestant of workload.contestants) {
      try {
        servers.set(contestant, await ServerProcess.start({ adapter, contestant, credentials }));
      } catch (error) {
        console.error(`${contestant} did not start on ${adapter}: ${String(error)}`);
      }
    }
    for (const [contestant, server] of servers)
      await checkAndWarmUp(workload, contestant, server, load, effort);

    const figures = new Map<string, { cpuMicros: number[]; requestsPerSecond: number[] }>();
    for (let round = 0; round < effort.rounds; round += 1) {
      for (const [contestant, server] of servers) {
        const { cpuMicros, requestsPerSecond } = await measure(workload, server, load, effort, round);
        const figure = figures.get(contestant) ?? { cpuMicros: [], requestsPerSecond: [] };
        figure.cpuMicros.push(cpuMicros);
        figure.requestsPerSecond.push(requestsPerSecond);
        figures.set(contestant, figure);
      }
    }
    const measurements: Measurement[] = [...figures].map(([contestant, figure]) => ({
      contestant,
      ...figure,
    }));
    return { workload: workload.id, adapter, measurements };
  } finally {
    for (const server of servers.values()) server.stop();
    load.stop();
  }
}

async function checkAndWarmUp(
  { request, freshTokens }: Workload,
  contestant: string,
  server: ServerProcess,
  load: LoadProcess,
  { connections, warmUpMs, freshTokens: count }: Effort,
): Promise<void> {
  const { port } = server;
  for (const check of checksOf(contestant)) {
    const run = {
      port,
      connections: 1,
      count: 1,
      request: withKeyOf(server, check.request),
      firstToken: 0,
      freshTokens: false,
    };
    const { statuses } = await load.run(run);
    if (statuses[check.status] !== 1) {
      throw new Error(`${contestant} answered ${JSON.stringify(statuses)} and not ${check.status}`);
    }
  }
  const run = { port, connections, request: withKeyOf(server, request), firstToken: 0 };
  await load.run({ ...run, freshTokens: false, durationMs: warmUpMs });
  if (freshTokens) await load.run({ ...run, firstToken: 1, freshTokens, count });
}

async function measure(
  { request, freshTokens }: Workload,
  server: ServerProcess,
  load: LoadProcess,
  { connections, roundMs, freshTokens: count }: Effort,
  round: number,
): Promise<{ cpuMicros: number; requestsPerSecond: number }> {
  const run = { port: server.port, connections, request: withKeyOf(server, request), freshTokens };
  const before = await server.cpuMicros();
  const result = freshTokens
    ? await load.run({ ...run, firstToken: 1 + (round + 1) * count, count })
    : await load.run({ ...run, firstToken: 0, durationMs: roundMs });
  const cpu = (await server.cpuMicros()) - before;
  const good = (result.statuses['200'] ?? 0) + (result.statuses['201'] ?? 0);
  if (good !== result.requests) throw new Error(`bad responses: ${JSON.stringify(result.statuses)}`);
  return { cpuMicros: cpu / result.requests, requestsPerSecond: result.requests / result.seconds };
}

const withKeyOf = ({ apiKey }: ServerProcess, request: string): string => request.replace(API_KEY, apiKey);
