import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { readTokenKey } from '../quickstart/auth/token-key.js';
import { readPlaces } from './places.js';

/** Starts the three parties, each a process of its own, with secrets that only those know who have to. */
const places = readPlaces(process.env);
const password = process.env['DEMO_PASSWORD'] || 'correct horse battery staple';
const secret = () => randomBytes(32).toString('base64url');
const [printShop, usersApi] = [{ PRINT_SHOP_SECRET: secret() }, { USERS_API_SECRET: secret() }];
const server = {
  ...printShop,
  ...usersApi,
  ENCRYPTION_KEY: readTokenKey(process.env['ENCRYPTION_KEY'], 'data/oauth.key'),
  DEMO_PASSWORD: password,
};

const children = Object.entries({
  'authorization-server': server,
  'users-api': usersApi,
  'print-shop': printShop,
}).map(([name, environment]) =>
  fork(fileURLToPath(new URL(`${name}/main.js`, import.meta.url)), [], {
    env: { ...process.env, ...environment },
  }),
);
const stop = () => children.forEach((child) => child.kill('SIGTERM'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
for (const child of children) {
  child.once('exit', (code) => {
    // One without the others is of no use.
    process.exitCode ||= code ?? 0;
    stop();
  });
}

console.log(`
An application gets limited access to somebody's account, and never sees a password:

  1. open   ${places.printShop}  and connect your account
  2. log in as ada@example.com, password: ${password}
  3. untick "Add users to the list", and allow the rest
  4. print the labels (works), add a user (refused)
  5. open   ${places.authorizationServer}/oauth/applications  and withdraw access: refused from then on
`);
