import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { requestStateIn } from '../http/request-state.js';
import type { Principal } from './principal.js';

/**
 * Gives a handler the caller's frozen {@link Principal}; `undefined` on a public route that is called without a credential.
 *
 * @example
 * @Get('me')
 * me(@CurrentPrincipal() principal: Principal) { … }
 */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined => requestStateIn(context)?.principal,
);
