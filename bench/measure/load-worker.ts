import { createPrivateKey, createSecretKey } from 'node:crypto';

import type { LoadCommand, LoadReport, RunLoad } from './load-messages.js';
import { sendLoad } from './send-load.js';
import { signToken } from './sign-token.js';

// A child process on a core of its own: signs tokens, then sends requests when it is told to.

const report = (message: LoadReport): void => void process.send?.(message);
let tokens: string[] = [];

async function run({ request, firstToken, freshTokens, ...load }: RunLoad): Promise<LoadReport> {
  const [before = '', after] = request.split('{token}');
  let next = firstToken;
  const fixed = after === undefined ? before : `${before}${tokens[firstToken] ?? ''}${after}`;
  const nextRequest =
    freshTokens && after !== undefined
      ? (): string => {
          const token = tokens[next++];
          if (token === undefined) throw new Error('out of tokens');
          return `${before}${token}${after}`;
        }
      : (): string => fixed;
  return { kind: 'result', ...(await sendLoad({ ...load, nextRequest })) };
}

process.on('message', (command: LoadCommand) => {
  if (command.kind === 'tokens') {
    const { algorithm, privateKey, count } = command;
    const key =
      algorithm === 'HS256' ? createSecretKey(Buffer.from(privateKey)) : createPrivateKey(privateKey);
    tokens = Array.from({ length: count }, (_, index) => signToken({ ...command, key, index }));
    report({ kind: 'signed' });
    return;
  }
  run(command).then(report, (error: unknown) => {
    report({ kind: 'failed', reason: String(error) });
  });
});
process.on('disconnect', () => process.exit(0));
