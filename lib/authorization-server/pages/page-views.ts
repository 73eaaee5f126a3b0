import type { Html } from './html.js';

/** How the pages look. */
export interface PageTheme {
  /** Name of the service, on top of each page; the issuer's host by default. */
  readonly name?: string;
  /** Colour of buttons and edges, such as `#0b57d0`; what stands on it is black or white. */
  readonly accent?: string;
  /** Language of the pages, such as `en`; the texts come from `pages`. */
  readonly language?: string;
}

/** What every page is given. */
export interface PageView {
  readonly theme: Required<PageTheme>;
  /** For `<style nonce="…">`; scripts and anything from elsewhere do not run. */
  readonly nonce: string;
}

/** What every form must send back, in a field named `csrf`. */
export interface FormView extends PageView {
  readonly csrf: string;
}

/** The page that asks who somebody is; fields `login` and `password`, or `action` with `cancel`. */
export interface LoginView extends FormView {
  /** The application that asks; `undefined` where nobody but this server does. */
  readonly clientName: string | undefined;
  /** What was typed in before. */
  readonly login: string;
  readonly problem: string | undefined;
}

/** One permission that is asked for. */
export interface PermissionView {
  /** Value of the field `scope`, which comes once for each that is allowed. */
  readonly value: string;
  readonly words: string;
  readonly resource: string;
  /** Whether it was given before. */
  readonly given: boolean;
  /** Whether it is ticked: at first all are, then as the form was sent. */
  readonly chosen: boolean;
}

/** The page that asks whether an application may; field `action` with `allow`, `deny`, or `switch` for another account. */
export interface ConsentView extends FormView {
  readonly clientName: string;
  /** Whether somebody has made sure who is behind it. */
  readonly verified: boolean;
  /** The host that the answer goes to, or the scheme of an installed application. */
  readonly destination: string;
  readonly accountName: string;
  readonly permissions: readonly PermissionView[];
  /** Until when the consent holds. */
  readonly until: Date;
  /** Whether it can act while the user is away. */
  readonly offline: boolean;
  readonly problem: string | undefined;
}

/** An application that has access. */
export interface ApplicationView {
  readonly id: string;
  readonly clientName: string;
  readonly verified: boolean;
  readonly permissions: readonly string[];
  readonly since: Date;
  readonly until: Date;
}

/** The page where somebody sees who has access; field `withdraw` with the id of an application. */
export interface ApplicationsView extends FormView {
  readonly accountName: string;
  readonly applications: readonly ApplicationView[];
  readonly notice: string | undefined;
}

/** The page that tells what went wrong. */
export interface ErrorView extends PageView {
  readonly title: string;
  /** In words for people, which quote nothing of the request. */
  readonly message: string;
}

/** The pages; each works without scripts. */
export interface AuthorizationPages {
  readonly login: (view: LoginView) => Html | string;
  readonly consent: (view: ConsentView) => Html | string;
  readonly applications: (view: ApplicationsView) => Html | string;
  readonly error: (view: ErrorView) => Html | string;
}
