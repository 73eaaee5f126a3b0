import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import type { Type } from '@nestjs/common';
import { ApiKeyService, type SecurityOptions } from 'nestjs-api-security';
import { WebsocketSecurityModule, type WebsocketSecurityOptions } from 'nestjs-api-security/websockets';

import { ADAPTERS, type Adapter } from '../support/app.js';
import { TRUSTED } from '../support/reference-app.js';
import { startSecured } from '../support/secured-app.js';
import { chatGateway, crowdedGateway, openGateway } from './gateways.js';
import { type ClientOptions, connectIo, connectWs, type SocketClient } from './socket-client.js';

/** Both libraries, on each HTTP adapter. */
export const SOCKETS = (['ws', 'socket.io'] as const).flatMap((library) =>
  ADAPTERS.map((adapter) => [library, adapter] as [library: 'ws' | 'socket.io', adapter: Adapter]),
);
export type Socket = (typeof SOCKETS)[number];

export interface SocketAppOptions {
  readonly security?: SecurityOptions;
  readonly sockets?: WebsocketSecurityOptions;
  readonly gateways?: Type[];
  /** Without the module under test. */
  readonly bare?: boolean;
}

export interface SocketApp {
  readonly port: number;
  readonly keys: ApiKeyService;
  close(): Promise<void>;
  get<T>(token: abstract new (...args: never[]) => T): T;
  key(scopes?: string[]): Promise<string>;
  connect(place: string, options?: ClientOptions): Promise<SocketClient>;
}

export async function startSockets(
  [library, adapter]: Socket,
  options: SocketAppOptions = {},
): Promise<SocketApp> {
  const at = (name: string) => (library === 'ws' ? { path: `/${name}` } : { namespace: name });
  const { app, port, close } = await startSecured(
    adapter,
    { jwt: TRUSTED, ...options.security },
    {
      imports: options.bare ? [] : [WebsocketSecurityModule.forRoot(options.sockets)],
      providers: options.gateways ?? [
        chatGateway(at('chat')),
        openGateway(at('open')),
        crowdedGateway(at('crowded')),
      ],
    },
    {
      configure: (one) => {
        one.useWebSocketAdapter(library === 'ws' ? new WsAdapter(one) : new IoAdapter(one));
      },
    },
  );
  const keys = app.get(ApiKeyService);
  return {
    port,
    keys,
    close,
    get: (token) => app.get(token as never),
    key: async (scopes = []) => (await keys.issue({ owner: 'o', name: 'n', scopes })).key,
    connect: (place, client) => (library === 'ws' ? connectWs : connectIo)(port, place, client),
  };
}
