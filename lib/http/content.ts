import type { IncomingMessage } from 'node:http';

/** Whether a request brings content, as its headers say. */
export function hasContent(request: IncomingMessage): boolean {
  const { headers, httpVersionMajor } = request;
  const length = headers['content-length'];
  if (length !== undefined) return length !== '0';
  if (httpVersionMajor < 2) return headers['transfer-encoding'] !== undefined;
  // HTTP/2 frames bodies by itself: a request without one ends with its headers.
  return (request as unknown as { stream?: { endAfterHeaders?: boolean } }).stream?.endAfterHeaders === false;
}
