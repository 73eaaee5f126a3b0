import * as crypto from 'node:crypto';

// The one-shot function came with Node 20.12; it costs a third of createHash().
const oneShot = (crypto as { hash?: (algorithm: string, data: string, encoding: 'base64url') => string })
  .hash;

/** SHA-256 of a text in base64url: what caches and stores keep in place of a secret. */
export const sha256: (text: string) => string = oneShot
  ? (text) => oneShot('sha256', text, 'base64url')
  : (text) => crypto.createHash('sha256').update(text).digest('base64url');
