import { type Html, html } from './html.js';
import { page } from './page-frame.js';
import type {
  ApplicationsView,
  AuthorizationPages,
  ConsentView,
  ErrorView,
  LoginView,
} from './page-views.js';

const DATE = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' });

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
    ({ value, words, resource, given, chosen }, i) =>
      html` <label class="choice" for="scope${i}"
        ><input id="scope${i}" type="checkbox" name="scope" value="${value}" ${chosen && 'checked'} />
        <span>${words}<br /><small>${resource}${given && ' – allowed before'}</small></span></label
      >`,
  );
  const isAnything = permissions.length > 0;
  return page(
    view,
    `Allow ${clientName} to access your account?`,
    html`<form method="post">
        <input type="hidden" name="csrf" value="${view.csrf}" />
        <p>
          Signed in as <strong>${view.accountName}</strong>.
          <button class="link" name="action" value="switch">Use another account</button>
        </p>
      </form>
      ${
        verified
          ? html`<p class="note">${clientName} is verified: we know who is behind it.</p>`
          : html`<p class="note problem">${clientName} is not verified. Go on only if you trust it.</p>`
      }${problemNote(view.problem)}
      <form method="post">
        <input type="hidden" name="csrf" value="${view.csrf}" />
        ${
          isAnything &&
          html`<fieldset>
              <legend>It asks for permission to:</legend>
              ${choices}
            </fieldset>
            <p class="facts">
              Until ${DATE.format(view.until)}${view.offline && ', also while you are away'}. You can withdraw
              it at any time.
            </p>`
        }
        <p class="facts">Then you go on to ${view.destination}.</p>
        <div class="actions">
          <button name="action" value="deny">Deny</button>
          ${isAnything && html`<button class="main" name="action" value="allow">Allow</button>`}
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
