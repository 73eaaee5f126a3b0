import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { portOf, readPlaces, required } from '../places.js';
import { Connection, type Pending } from './connection.js';
import { answer, connected, failure, page, welcome } from './pages.js';

/** What the shop knows of one browser. */
interface Visitor {
  readonly connection: Connection;
  pending?: Pending;
}

const MAX_VISITORS = 1_000;

const places = readPlaces(process.env);
const secret = required('PRINT_SHOP_SECRET');
const visitors = new Map<string, Visitor>();

async function visitorOf(request: IncomingMessage, response: ServerResponse): Promise<Visitor> {
  const id = /(?:^|; )shop=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const known = visitors.get(id);
  if (known) return known;
  const name = randomBytes(24).toString('base64url');
  const visitor = { connection: await Connection.open(places, secret) };
  if (visitors.size >= MAX_VISITORS) visitors.clear();
  visitors.set(name, visitor);
  response.setHeader('Set-Cookie', `shop=${name}; HttpOnly; SameSite=Lax; Path=/`);
  return visitor;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<string> {
  const url = new URL(request.url ?? '/', places.printShop);
  const visitor = await visitorOf(request, response);
  const { connection } = visitor;
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      return connection.connected ? connected(connection.scopes) : welcome();
    case 'POST /connect': {
      const { url: question, pending } = await connection.begin();
      visitor.pending = pending;
      return redirect(response, question.href);
    }
    case 'GET /callback':
      return complete(visitor, url, response);
    case 'POST /list':
      return show(await connection.call('GET'));
    case 'POST /add': {
      const email = `guest-${randomBytes(4).toString('hex')}@example.com`;
      return show(await connection.call('POST', { email, name: 'A guest', role: 'member' }));
    }
    case 'POST /forget':
      visitors.clear();
      return redirect(response, '/');
    default:
      response.statusCode = 404;
      return failure('There is no such page.');
  }
}

async function complete(visitor: Visitor, url: URL, response: ServerResponse): Promise<string> {
  const { pending, connection } = visitor;
  delete visitor.pending;
  if (!pending) return failure('Nobody asked for this.');
  try {
    await connection.complete(url, pending);
    return redirect(response, '/');
  } catch (error) {
    return failure(error instanceof Error ? error.message : 'It did not work.');
  }
}

const show = ({ status, text }: { status: number; text: string }): string => answer(status, text);

function redirect(response: ServerResponse, location: string): string {
  response.statusCode = 303;
  response.setHeader('Location', location);
  return '';
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let content: string;
  try {
    content = await handle(request, response);
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    content = failure('Something went wrong in the shop.');
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(page(content));
}

const server = createServer((request, response) => void serve(request, response));
server.listen(portOf(places.printShop), '127.0.0.1', () => {
  console.log(`The print shop listens on ${places.printShop}`);
});
