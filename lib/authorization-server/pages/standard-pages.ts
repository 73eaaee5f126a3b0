import { Html, html } from './html.js';
import type {
  ApplicationsView,
  AuthorizationPages,
  ConsentView,
  ErrorView,
  LoginView,
  PageView,
} from './page-views.js';

const DATE = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' });

const STYLE = `
:root { color-scheme: light dark; --line: #8888; }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 28rem; margin: 6vh auto; padding: 1.5rem; border: 1px solid var(--line); border-radius: .75rem; }
header { text-align: center; font-weight: 600; opacity: .8; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
label, legend { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
input[type=text], input[type=password] { width: 100%; font: inherit; padding: .6rem; border: 1px solid var(--line);
  border-radius: .4rem; background: Field; color: FieldText; }
fieldset { border: 0; padding: 0; margin: 0; }
.choice { display: flex; gap: .6rem; font-weight: 400; margin: .5rem 0; }
.choice small, .facts { opacity: .8; }
.choice input { width: 1.2rem; height: 1.2rem; margin: .15rem 0 0; flex: none; accent-color: var(--accent); }
button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .4rem; border: 1px solid var(--accent);
  background: transparent; color: CanvasText; cursor: pointer; }
button.main { background: var(--accent); color: #fff; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; gap: .75rem; justify-content: flex-end; flex-wrap: wrap; margin-top: 1.25rem; }
.last-first { flex-direction: row-reverse; justify-content: flex-start; }
.note { border-left: 4px solid var(--accent); padding: .25rem .75rem; margin: 1rem 0; }
.problem { border-left-color: #b3261e; }
.apps { list-style: none; padding: 0; } .apps > li { border-top: 1px solid var(--line); padding: .75rem 0; }
.apps h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; } .apps ul { margin: .25rem 0; padding-left: 1.2rem; }
`;

function page({ theme, nonce }: PageView, title: string, content: Html): Html {
  const style = new Html(STYLE.replaceAll('var(--accent)', theme.accent));
  return html`<!doctype html>
    <html lang="${theme.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – ${theme.name}</title>
        <style nonce="${nonce}">
          ${style}
        </style>
      </head>
      <body>
        <main>
          <header>${theme.name}</header>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html> `;
}

const problemNote = (problem: string | undefined): Html | undefined =>
  problem === undefined ? undefined : html`<p class="note problem" role="alert">${problem}</p>`;

// The first button of a form is the one that the Enter key presses.
function login(view: LoginView): Html {
  const { clientName, problem } = view;
  const reason =
    clientName === undefined
      ? html`<p>Sign in to see which applications have access to your account.</p>`
      : html`<p>
          <strong>${clientName}</strong> asks for access to your account. It never sees your password.
        </p>`;
  return page(
    view,
    'Sign in',
    html`${reason}${problemNote(problem)}
      <form method="post">
        <input type="hidden" name="csrf" value="${view.csrf}" />
        <label for="login">Email or name</label>
        <input
          id="login"
          name="login"
          type="text"
          value="${view.login}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="320"
          required
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="1024"
          required
        />
        <div class="actions last-first">
          <button class="main" name="action" value="login">Sign in</button>
          ${clientName !== undefined && html`<button name="action" value="cancel" formnovalidate>Cancel</button>`}
        </div>
      </form>`,
  );
}

function consent(view: ConsentView): Html {
  const { clientName, verified, permissions } = view;
  const choices = permissions.map(
    ({ value, words, resource }, i) =>
      html` <label class="choice" for="scope${i}"
        ><input id="scope${i}" type="checkbox" name="scope" value="${value}" checked />
        <span>${words}<br /><small>${resource}</small></span></label
      >`,
  );
  return page(
    view,
    `Allow ${clientName} to access your account?`,
    html`<p>Signed in as <strong>${view.accountName}</strong>.</p>
      ${
        verified
          ? html`<p class="note">${clientName} is verified: we know who is behind it.</p>`
          : html`<p class="note problem">${clientName} is not verified. Go on only if you trust it.</p>`
      }${problemNote(view.problem)}
      <form method="post">
        <input type="hidden" name="csrf" value="${view.csrf}" />
        <fieldset>
          <legend>It asks for permission to:</legend>
          ${choices}
        </fieldset>
        <p class="facts">
          Until ${DATE.format(view.until)}${view.offline && ', also while you are away'}. You can withdraw it
          at any time. You will go on to ${view.destination}.
        </p>
        <div class="actions">
          <button name="action" value="deny">Deny</button>
          <button class="main" name="action" value="allow">Allow</button>
        </div>
      </form>`,
  );
}

function applications(view: ApplicationsView): Html {
  const rows = view.applications.map(
    (one) =>
      html` <li>
        <h2>${one.clientName}${!one.verified && ' (not verified)'}</h2>
        <ul>
          ${one.permissions.map((words) => html`<li>${words}</li>`)}
        </ul>
        <p class="facts">Since ${DATE.format(one.since)}, until ${DATE.format(one.until)}.</p>
        <form method="post">
          <input type="hidden" name="csrf" value="${view.csrf}" />
          <button name="withdraw" value="${one.id}" aria-label="Withdraw access of ${one.clientName}">
            Withdraw access
          </button>
        </form>
      </li>`,
  );
  return page(
    view,
    'Applications with access',
    html`<p>Signed in as <strong>${view.accountName}</strong>.</p>
      ${view.notice !== undefined && html`<p class="note" role="status">${view.notice}</p>`}
      ${
        rows.length > 0
          ? html`<ul class="apps">
              ${rows}
            </ul>`
          : html`<p>No application has access to your account.</p>`
      }
      <form method="post">
        <input type="hidden" name="csrf" value="${view.csrf}" />
        <div class="actions"><button name="action" value="logout">Sign out</button></div>
      </form>`,
  );
}

const error = (view: ErrorView): Html =>
  page(
    view,
    view.title,
    html`<p role="alert">${view.message}</p>
      <p>You can close this page, and start again in the application.</p>`,
  );

/** The pages as they come: no script, no picture, one style of its own; readable in light and dark, and by screen readers. */
export const standardPages: AuthorizationPages = Object.freeze({ login, consent, applications, error });
