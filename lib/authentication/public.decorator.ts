import { type PolicyDecorator, setPolicyMetadata } from '../policy/metadata.js';

/**
 * Opens a route to everybody. A credential that is sent all the same is verified, and refused if it is bad (R-AU-12).
 *
 * @example
 * @Public()
 * @Get('health')
 * health() { return { status: 'ok' }; }
 */
export const Public = (): PolicyDecorator => setPolicyMetadata('public', true);
