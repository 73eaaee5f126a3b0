import type { IncomingMessage } from 'node:http';

import { SecurityError } from '../../errors/security-error.js';

/** The client went away before its body was complete: there is nobody to answer. */
export class ClientAborted extends Error {
  constructor() {
    super('The client closed the connection before the body was complete');
    this.name = 'ClientAborted';
  }
}

/**
 * Reads a body of at most `maxBytes`: refuses by `Content-Length` before a byte is read, and counts while reading, so that
 * never more than that is held (R-IV-03). How long it may take is up to the server's `requestTimeout`.
 *
 * @param ready called once the announced size is fine, before anything is read: the moment for `100 Continue`
 * @param take what becomes of the bytes
 * @throws SecurityError `PAYLOAD_TOO_LARGE`; ClientAborted; what `take` throws
 */
export function readBody<T>(
  request: IncomingMessage,
  maxBytes: number,
  ready: () => void,
  take: (bytes: Buffer) => T | Promise<T>,
): Promise<T> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  ready();
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let length = 0;
    let over = false;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose).pause();
        first = rest = undefined;
        reject(tooLarge());
      } else if (first === undefined) first = chunk;
      else (rest ??= [first]).push(chunk);
    };
    const onEnd = () => {
      over = true;
      let taken: T | Promise<T>;
      try {
        taken = take(rest === undefined ? (first ?? NOTHING) : Buffer.concat(rest, length));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      resolve(taken);
    };
    // Comes after every end too.
    const onClose = () => {
      if (!over) reject(new ClientAborted());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

const NOTHING = Buffer.alloc(0);

function tooLarge(): SecurityError {
  return new SecurityError('PAYLOAD_TOO_LARGE', 'The body is too large', {
    reason: 'body.size',
    headers: { Connection: 'close' },
  });
}
