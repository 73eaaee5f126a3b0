import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An authorization server that says whatever a test wants, over real HTTP. */
export class AnsweringServer {
  readonly asked: { headers: IncomingMessage['headers']; body: URLSearchParams }[] = [];
  /** Requests for the metadata, and whether they get an answer. */
  looks = 0;
  tellsMetadata = true;
  answer: (response: ServerResponse, token: string) => void = () => {};
  readonly #server: Server = createServer((request, response) => {
    if (request.url?.startsWith('/.well-known/') === true) {
      this.looks += 1;
      if (!this.tellsMetadata) return;
      const metadata = { issuer: this.url, introspection_endpoint: `${this.url}/introspect` };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(metadata));
      return;
    }
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = new URLSearchParams(text);
      this.asked.push({ headers: request.headers, body });
      this.answer(response, body.get('token') ?? '');
    });
  });
  url = '';

  async start(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.listen(0, '127.0.0.1', done);
    });
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  says(claims: Record<string, unknown>, status = 200): void {
    this.answer = (response) => {
      response.statusCode = status;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(claims));
    };
  }
}
