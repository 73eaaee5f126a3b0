import { sha256 } from '../../authentication/sha256.js';

/** Names of records in the store: the secret ones stand there as digests only. */
export const recordId = (kind: string, id: string): string => sha256(`${kind} ${id}`);

/** What tells a grant apart in public: in tokens (`sid`), in the API, and in the store. Nothing can be done with it. */
export const grantName = (grantId: string): string => recordId('Grant', grantId);

export const accountName = (accountId: string): string => sha256(`account ${accountId}`);
