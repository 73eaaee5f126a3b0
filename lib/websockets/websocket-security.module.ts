import { type DynamicModule, Module } from '@nestjs/common';

import { WEBSOCKET_SECURITY_OPTIONS, WebsocketSecurity } from './websocket-security.js';
import type { WebsocketSecurityOptions } from './websocket-security.options.js';

/**
 * Protects the gateways of an application, on `ws` and on socket.io, by the same decorators, policies and counters as its routes. Import it
 * once, beside `SecurityModule`; without it messages are refused to everybody.
 *
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ jwt }), WebsocketSecurityModule.forRoot()], providers: [ChatGateway] })
 * export class AppModule {}
 */
@Module({})
export class WebsocketSecurityModule {
  /** What is wrong with the options or a gateway is told at boot, in the one SecurityConfigurationError. */
  static forRoot(options: WebsocketSecurityOptions = {}): DynamicModule {
    return {
      module: WebsocketSecurityModule,
      global: true,
      providers: [{ provide: WEBSOCKET_SECURITY_OPTIONS, useValue: options }, WebsocketSecurity],
    };
  }
}
