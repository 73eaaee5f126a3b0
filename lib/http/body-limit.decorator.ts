import type { ByteSize } from '../configuration/units.js';
import { type PolicyDecorator, setPolicyMetadata } from '../policy/metadata.js';

/** What `@BodyLimit()` may say beside the size. */
export interface BodyLimitOptions {
  /**
   * Media types that the route accepts; `['application/json']` by default. JSON and
   * `application/x-www-form-urlencoded` are parsed strictly, any other is left unread for the handler.
   */
  readonly types?: readonly string[];
  /** Keeps the bytes as they came in `request.rawBody`, for signatures over them; `false` by default. */
  readonly raw?: boolean;
}

/** What `@BodyLimit()` writes. */
export interface BodyDeclaration extends BodyLimitOptions {
  readonly size: ByteSize;
}

/**
 * Sets the largest body that a route reads (R-IV-03), and the media types it takes (R-IV-01).
 *
 * @param size bytes, or text such as `'1mb'`
 * @example
 * @BodyLimit('5mb', { types: ['image/png'] })
 */
export const BodyLimit = (size: ByteSize, options: BodyLimitOptions = {}): PolicyDecorator =>
  setPolicyMetadata('body', { size, ...options } satisfies BodyDeclaration);
