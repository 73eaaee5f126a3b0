import type { ClientService } from '../clients/client.service.js';
import { clientMetadata } from './client-metadata.js';

/** Registered clients, as oidc-provider asks for them: it never writes any. */
export class ClientAdapter {
  constructor(private readonly clients: ClientService) {}

  async find(clientId: string): Promise<Record<string, unknown> | undefined> {
    const client = await this.clients.find(clientId);
    return client && clientMetadata(client);
  }
}
