import { spawn } from 'node:child_process';
import { once } from 'node:events';

// As somebody else would run it, with its own defaults.
const PROGRAM = `
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
const { port, clients, resources } = JSON.parse(process.argv[1]);
const provider = new Provider('http://127.0.0.1:' + port, {
  clients,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    jwtIntrospection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'mail:read',
        audience: resource,
        accessTokenFormat: resources[resource],
        accessTokenTTL: 300,
      }),
    },
  },
});
createServer(provider.callback()).listen(port, '127.0.0.1', () => process.stdout.write('listening'));
`;

/** What the server knows. */
export interface OidcProviderSetup {
  readonly port: number;
  /** Client metadata (RFC 7591). */
  readonly clients: readonly object[];
  /** The format of tokens by resource. */
  readonly resources: Readonly<Record<string, 'jwt' | 'opaque'>>;
}

/** A plain oidc-provider in a process of its own. @returns stops it */
export async function startOidcProvider(setup: OidcProviderSetup): Promise<() => Promise<void>> {
  const args = ['--input-type=module', '-e', PROGRAM, JSON.stringify(setup)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  };
}
