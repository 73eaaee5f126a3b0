const escaped = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** A page of the print shop. */
export function page(content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Print Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4vh auto; padding: 0 1rem; }
button { font: inherit; padding: .5rem 1rem; margin: 0 .5rem .5rem 0; }
pre { background: #8882; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
form { display: inline; }
</style></head>
<body><h1>Print Shop</h1>${content}</body></html>`;
}

const button = (action: string, label: string): string =>
  `<form method="post" action="/${action}"><button>${label}</button></form>`;

export const welcome = (): string =>
  `<p>We print address labels. To see whom for, we need your account's list of users.</p>
${button('connect', 'Connect my account')}`;

export const connected = (scopes: string): string =>
  `<p>Connected. You let us use: <strong id="scopes">${escaped(scopes)}</strong></p>
${button('list', 'Print the labels')}${button('add', 'Add a user')}${button('forget', 'Forget me')}`;

export const answer = (status: number, text: string): string =>
  `<h2>The API answered <span id="status">${status}</span></h2><pre id="answer">${escaped(text)}</pre>
<p><a href="/">Back</a></p>`;

export const failure = (message: string): string =>
  `<h2>Not connected</h2><p id="failure">${escaped(message)}</p><p><a href="/">Back</a></p>`;
