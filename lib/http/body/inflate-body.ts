import { brotliDecompress, gunzip } from 'node:zlib';

import { SecurityError } from '../../errors/security-error.js';
import type { BodyEncoding } from '../body.options.js';

/** How many times as long as what was sent an unpacked body may be. */
const MAX_RATIO = 100;

/**
 * Unpacks a body, and stops at the limit: a bomb costs no more than a body of the largest size (R-IV-02).
 *
 * @throws SecurityError `PAYLOAD_TOO_LARGE`, or `MALFORMED_REQUEST` for what is not in the coding from first to last byte
 */
export function inflateBody(bytes: Buffer, encoding: BodyEncoding, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: Math.min(maxBytes, bytes.length * MAX_RATIO), info: true };
  return new Promise((resolve, reject) => {
    // With `info` Node hands over the engine too, which its types do not know.
    const done = (error: NodeJS.ErrnoException | null, result: unknown): void => {
      const { buffer, engine } = (result ?? {}) as { buffer?: Buffer; engine?: { bytesWritten: number } };
      if (error?.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge());
      // Node ignores zeros behind gzip, and anything behind br.
      else if (error || !buffer || engine?.bytesWritten !== bytes.length) reject(malformed());
      else resolve(buffer);
    };
    if (encoding === 'gzip') gunzip(bytes, options, done);
    else brotliDecompress(bytes, options, done);
  });
}

function tooLarge(): SecurityError {
  return new SecurityError('PAYLOAD_TOO_LARGE', 'The body is too large', { reason: 'body.inflated-size' });
}

function malformed(): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'The body is not encoded as it says', {
    reason: 'body.encoding',
  });
}
