import { applyDecorators, UseInterceptors } from '@nestjs/common';

import { setPolicyMetadata } from '../policy/metadata.js';
import type { HeadersOptions } from './headers.options.js';
import { SecurityHeadersInterceptor } from './security-headers.interceptor.js';

/**
 * Changes the security headers of one route's successful responses, such as the CSP of a page of HTML; errors keep the
 * application's own set. Options that are not named stay as they are, `false` removes a header.
 *
 * @example
 * @SecurityHeaders({ contentSecurityPolicy: { 'default-src': ["'none'"], 'style-src': ["'self'"] } })
 */
export const SecurityHeaders = (options: HeadersOptions): ClassDecorator & MethodDecorator =>
  // The interceptor is attached where it has work to do: routes without changes do not pay for it.
  applyDecorators(setPolicyMetadata('headers', options), UseInterceptors(SecurityHeadersInterceptor));
