import { type ArgumentsHost, Catch, HttpException } from '@nestjs/common';
import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';

import { connectionOf } from './connections.js';

/** Failures of handlers become the contract's envelope, under the event `exception`; filters of the application's own come first. */
@Catch()
export class WebsocketExceptionFilter extends BaseWsExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    const client = ws.getClient<{ emit: () => boolean }>();
    const connection = connectionOf(client);
    if (!connection) {
      this.handleError(client, exception, { pattern: ws.getPattern(), data: ws.getData<unknown>() });
      return;
    }
    const error = exception instanceof WsException ? asHttp(exception) : exception;
    connection.owner.tell(connection, error, ws.getPattern());
  }
}

/** What an application throws at a socket is for its client, as an `HttpException` is for a route's. */
function asHttp(exception: WsException): HttpException {
  return new HttpException(exception.getError(), 400);
}
