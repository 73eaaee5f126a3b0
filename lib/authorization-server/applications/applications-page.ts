import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AuthorizationServerSettings } from '../authorization-server.settings.js';
import type { Account } from '../authorization-server.options.js';
import type { FormTokens } from '../form-tokens.js';
import type { LoginCheck } from '../login-check.js';
import type { PageWriter } from '../pages/page-writer.js';
import { ROUTES } from '../server-address.js';
import type { ApplicationsService } from './applications.service.js';

const HALF_AN_HOUR_MS = 1_800_000;
const USE = 'applications';

/** What the page works with. */
export interface ApplicationsPageParts {
  readonly settings: AuthorizationServerSettings;
  readonly applications: ApplicationsService;
  readonly pages: PageWriter;
  readonly tokens: FormTokens;
  readonly logins: LoginCheck;
  readonly findAccount: (id: string) => Promise<Account | undefined>;
  /** Ends what this browser is logged in with for the questions of applications. */
  readonly endLogin: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** The page where somebody sees which applications have access, and takes it back. It has a short login of its own. */
export class ApplicationsPage {
  readonly #cookie: string;
  readonly #attributes: string;

  constructor(private readonly parts: ApplicationsPageParts) {
    const secure = parts.settings.issuer.startsWith('https:');
    this.#cookie = secure ? '__Host-as-applications' : 'as-applications';
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
    form: URLSearchParams | undefined,
  ): Promise<void> {
    const session = this.#sessionOf(request);
    const account = session && (await this.parts.findAccount(session.id));
    if (!account) return this.#login(request, response, address, form);
    const { applications, tokens } = this.parts;
    if (!form) return this.#show(response, account, session.text);
    if (!tokens.isGood(form.get('csrf'), USE, session.text))
      return this.#show(
        response,
        account,
        session.text,
        'That form was out of date. Nothing has changed.',
        403,
      );
    if (form.get('action') === 'logout') {
      await this.parts.endLogin(request, response);
      return this.#redirect(response, `${this.#cookie}=; Max-Age=0`);
    }
    const id = form.get('withdraw') ?? '';
    const known = (await applications.list(account.id)).find((one) => one.id === id);
    if (known) await applications.withdraw(account.id, id);
    const notice = known && `${known.clientName} has no access any more.`;
    return this.#show(response, account, session.text, notice);
  }

  async #login(
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
    form: URLSearchParams | undefined,
  ): Promise<void> {
    const { settings, tokens, logins, pages } = this.parts;
    // Nobody can be logged in by a form that another browser was given.
    const known = cookieOf(request, `${this.#cookie}-login`);
    const visit = known && /^[\w-]{22}$/.test(known) ? known : randomBytes(16).toString('base64url');
    const isOwn = form !== undefined && tokens.isGood(form.get('csrf'), 'login', visit);
    const outcome = isOwn ? await logins.check(form, address) : undefined;
    if (outcome && 'account' in outcome) {
      const { id } = outcome.account;
      const text = Buffer.from(JSON.stringify({ id, until: Date.now() + HALF_AN_HOUR_MS })).toString(
        'base64url',
      );
      const value = `${text}.${tokens.make('cookie', text)}`;
      return this.#redirect(response, `${this.#cookie}=${value}; Max-Age=${HALF_AN_HOUR_MS / 1000}`);
    }
    const page = pages.write((view) =>
      settings.pages.login({
        ...view,
        csrf: tokens.make('login', visit),
        clientName: undefined,
        login: form?.get('login') ?? '',
        problem: outcome?.problem,
      }),
    );
    if (visit !== known)
      response.setHeader('Set-Cookie', `${this.#cookie}-login=${visit}; ${this.#attributes}`);
    if (outcome?.retryAfter !== undefined) response.setHeader('Retry-After', outcome.retryAfter);
    pages.send(response, outcome?.status ?? 200, page);
  }

  async #show(response: ServerResponse, account: Account, session: string, notice?: string, status = 200) {
    const { settings, applications, tokens, pages } = this.parts;
    const list = await applications.list(account.id);
    const page = pages.write((view) =>
      settings.pages.applications({
        ...view,
        csrf: tokens.make(USE, session),
        accountName: account.name ?? account.id,
        applications: list.map(({ id, clientName, verified, access, since, until }) => ({
          id,
          clientName,
          verified,
          permissions: access.flatMap(({ scopes }) => scopes.map((scope) => settings.scopes[scope] ?? scope)),
          since: new Date(since),
          until: new Date(until),
        })),
        notice,
      }),
    );
    pages.send(response, status, page);
  }

  #redirect(response: ServerResponse, cookie: string): void {
    response.statusCode = 303;
    response.setHeader('Location', this.parts.settings.issuer + ROUTES.applications);
    response.setHeader('Set-Cookie', `${cookie}; ${this.#attributes}`);
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Length', 0);
    response.end();
  }

  /** Who has logged in here, by a cookie that only this server can make. */
  #sessionOf(request: IncomingMessage): { readonly id: string; readonly text: string } | undefined {
    const [text = '', signature] = cookieOf(request, this.#cookie)?.split('.') ?? [];
    if (text.length > 2_000 || !this.parts.tokens.isGood(signature, 'cookie', text)) return undefined;
    const { id, until } = JSON.parse(Buffer.from(text, 'base64url').toString()) as {
      id: string;
      until: number;
    };
    return Date.now() < until ? { id, text } : undefined;
  }
}

function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const prefix = `${name}=`;
  return (headers.cookie ?? '')
    .split('; ')
    .find((one) => one.startsWith(prefix))
    ?.slice(prefix.length);
}
