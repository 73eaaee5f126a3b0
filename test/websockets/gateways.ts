import type { Type } from '@nestjs/common';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from '@nestjs/websockets';
import { IsInt, IsString, Length, Max } from 'class-validator';
import {
  CurrentPrincipal,
  type Duration,
  type Principal,
  Public,
  RateLimit,
  RequireRoles,
  RequireScopes,
} from 'nestjs-api-security';

export class Line {
  @IsString() @Length(1, 20) text!: string;
  @IsInt() @Max(9) room!: number;
}

/** Needs a credential to connect. */
export function chatGateway(place: object): Type {
  @WebSocketGateway(place)
  class ChatGateway {
    @SubscribeMessage('say') say(@MessageBody() line: Line) {
      return { event: 'said', data: `${line.constructor.name}: ${line.text}` };
    }

    @SubscribeMessage('whoami') whoami(@CurrentPrincipal() principal: Principal) {
      return { event: 'you', data: principal.id };
    }

    @RequireScopes('chat:write') @SubscribeMessage('scoped') scoped(@MessageBody() _line: Line) {
      return { event: 'scoped', data: true };
    }

    @RequireRoles('admin') @SubscribeMessage('admin') admin(@ConnectedSocket() _socket: object) {
      return { event: 'admin', data: true };
    }

    @RateLimit('5/minute', { cost: 2 }) @SubscribeMessage('limited') limited(
      @ConnectedSocket() _socket: object,
    ) {
      return { event: 'limited', data: true };
    }

    @SubscribeMessage('boom') boom(@ConnectedSocket() _socket: object) {
      throw new Error('secret detail');
    }

    @SubscribeMessage('own') own(@ConnectedSocket() _socket: object) {
      throw new WsException('Room is full');
    }
  }
  return ChatGateway;
}

/** Anybody may connect. */
export function openGateway(place: object): Type {
  @Public()
  @WebSocketGateway(place)
  class OpenGateway {
    @SubscribeMessage('hello') hello(@ConnectedSocket() _socket: object) {
      return { event: 'hello', data: 'world' };
    }
  }
  return OpenGateway;
}

/** Two connections at once for each caller. */
export function crowdedGateway(place: object, window: Duration = '5m'): Type {
  @RateLimit({ limit: 2, algorithm: 'concurrency', window })
  @WebSocketGateway(place)
  class CrowdedGateway {
    @SubscribeMessage('hello') hello(@ConnectedSocket() _socket: object) {
      return { event: 'hello', data: 'world' };
    }
  }
  return CrowdedGateway;
}
