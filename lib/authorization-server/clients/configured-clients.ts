import { sha256 } from '../../authentication/sha256.js';
import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { SecurityError } from '../../errors/security-error.js';
import type { AuthorizationServerOptions } from '../authorization-server.options.js';
import { completeRegistration, type KnownTargets } from './client-checks.js';
import type { RegisteredClient } from './client-registration.js';

/** Of 256 random bits in base64url. */
const MIN_SECRET_LENGTH = 43;

/** Registers the clients of the configuration; what is wrong is reported. */
export function clientsOf(
  { clients = [] }: AuthorizationServerOptions,
  known: KnownTargets,
  problems: ConfigurationProblems,
): ReadonlyMap<string, RegisteredClient> {
  const found = new Map<string, RegisteredClient>();
  clients.forEach(({ secret, ...input }, i) => {
    const where = `AuthorizationServerModule.clients[${i}]`;
    const code = 'authorization-server.client.invalid';
    try {
      const client = completeRegistration(input, known, { clientId: input.clientId, createdAt: 0 });
      if ((client.authentication === 'secret') !== (secret !== undefined))
        problems.add(
          code,
          where,
          'has a secret without needing one, or none',
          'give it, from the environment',
        );
      else if (secret !== undefined && (typeof secret !== 'string' || secret.length < MIN_SECRET_LENGTH))
        problems.add(code, where, 'has a secret of less than 256 bits', 'make one with randomBytes(32)');
      if (found.has(client.clientId))
        problems.add(code, where, 'has the clientId of another', 'give each its own');
      found.set(client.clientId, { ...client, ...(secret && { secretDigest: sha256(secret) }) });
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      for (const { message } of error.extras.details ?? [])
        problems.add(code, where, message, 'see the documentation of ClientRegistration');
    }
  });
  return found;
}
