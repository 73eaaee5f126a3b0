import { type PolicyDecorator, setPolicyMetadata } from '../policy/metadata.js';

/** Refuses API keys and OAuth clients that act for themselves: only a person may call (R-AK-14). */
export const UserOnly = (): PolicyDecorator => setPolicyMetadata('userOnly', true);
