import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

import type { SecurityInternals } from '../boot/security-internals.js';
import { answerTo } from '../errors/error-answer.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Decides about a handshake; rejects with what the client is told. */
export type AdmitUpgrade = (state: RequestState) => Promise<void>;

/**
 * Stands before all who listen to upgrades of a server: what happens to every request first happens to a handshake too, and what is
 * refused is answered in HTTP, before there is a socket.
 */
export class UpgradeGate {
  #listeners: readonly UpgradeListener[] = [];
  #server: Server | undefined;

  constructor(
    private readonly internals: SecurityInternals,
    private readonly admit: AdmitUpgrade,
  ) {}

  /** Once all gateways have been bound, before the server listens. */
  install(server: Server): void {
    this.#server = server;
    this.#listeners = server.listeners('upgrade') as UpgradeListener[];
    server.removeAllListeners('upgrade');
    server.on('upgrade', (request, socket, head) => void this.#handle(request, socket, head));
  }

  async #handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { internals } = this;
    // A socket that breaks meanwhile is nobody's failure.
    socket.on('error', ignore);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    const end = () => socket.end();
    response.once('finish', end);
    if (internals.hook.handle(request, response)) return;
    const state = requestStateOf(request)!;
    try {
      await this.admit(state);
    } catch (error) {
      const answer = answerTo(error, true);
      internals.reports.report(error, answer, eventContextOf(state));
      internals.writer.send(answer, request, response);
      return;
    }
    response.off('finish', end);
    response.detachSocket(socket as Socket);
    socket.off('error', ignore);
    for (const listener of this.#listeners) listener.call(this.#server, request, socket, head);
  }
}

function ignore(): void {}
