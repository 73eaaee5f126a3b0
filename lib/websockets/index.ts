export { WebsocketExceptionFilter } from './websocket-exception.filter.js';
export { WebsocketSecurityModule } from './websocket-security.module.js';
export type { WebsocketSecurityOptions } from './websocket-security.options.js';
