import { type PolicyDecorator, setPolicyMetadata } from '../../../policy/metadata.js';

/**
 * Refuses every access token that is not bound to a key of the client and sent with a DPoP proof: a stolen token is of no
 * use here (RFC 9449 §7, R-DP-07). The route can then accept no other scheme than `@OAuth2Auth()`.
 *
 * @example
 * @OAuth2Auth('payments:write')
 * @RequireDpop()
 * @Post('payments')
 */
export const RequireDpop = (): PolicyDecorator => setPolicyMetadata('dpopRequired', true);
