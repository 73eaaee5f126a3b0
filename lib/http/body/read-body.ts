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
 * @throws SecurityError `PAYLOAD_TOO_LARGE`; ClientAborted
 */
export function readBody(request: IncomingMessage, maxBytes: number, ready: () => void): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  ready();
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    const done = () => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      done();
      chunks = [];
      request.pause();
      reject(tooLarge());
    };
    const onEnd = () => {
      done();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    };
    const onClose = () => {
      done();
      reject(new ClientAborted());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function tooLarge(): SecurityError {
  return new SecurityError('PAYLOAD_TOO_LARGE', 'The body is too large', {
    reason: 'body.size',
    headers: { Connection: 'close' },
  });
}
