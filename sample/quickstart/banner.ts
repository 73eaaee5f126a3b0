import type { QuickstartConfiguration } from './configuration.js';

const JSON_BODY = `-H 'Content-Type: application/json'`;

/** What the start prints: credentials to try, and how. */
export function banner(url: string, apiKey: string, { demoPassword }: QuickstartConfiguration): string {
  const login = JSON.stringify({ email: 'ada@example.com', password: demoPassword });
  const newUser = JSON.stringify({ email: 'grace@example.com', name: 'Grace Hopper', role: 'member' });
  return `
The quickstart listens on ${url}

  API key   ${apiKey}
            Ada's, with the scopes users:read and users:write; it is shown this once
  Login     ada@example.com (admin) or bob@example.com (member), password: ${demoPassword}
  Docs      ${url}/docs

Try:

  curl -i ${url}/users -H 'Authorization: Api-Key ${apiKey}'
  curl -i ${url}/users -H 'X-API-Key: ${apiKey}' ${JSON_BODY} -d ${quoted(newUser)}
  curl -i ${url}/auth/token ${JSON_BODY} -d ${quoted(login)}
  curl -i ${url}/auth/me -H 'Authorization: Bearer <accessToken>'
  curl -i ${url}/users
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
