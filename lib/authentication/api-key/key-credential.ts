import { BlockList } from 'node:net';

import { addBlock, isInBlocks } from '../../http/proxy-trust.js';
import { createPrincipal } from '../../principal/principal.js';
import type { VerifiedCredential } from '../credential-verifier.js';
import type { OwnerRights } from './api-key.options.js';
import type { ApiKeyRecord } from './api-key-store.js';
import { limitsOfKey } from './key-limits.js';
import { endOf } from './key-standing.js';

/**
 * What a good key is worth: its rights, cut down to those that its owner has now (R-AK-08), until when, and from where.
 *
 * @param rights the owner's; undefined if nobody is asked about owners
 * @throws TypeError if the record or the rights are not what their types say
 */
export function credentialOf(record: ApiKeyRecord, rights: OwnerRights | undefined): VerifiedCredential {
  const principal = createPrincipal({
    type: 'api-key',
    id: record.id,
    scheme: 'api-key',
    scopes: within(record.scopes, rights ? rights.scopes : record.scopes),
    roles: within(record.roles, rights ? (rights.roles ?? []) : record.roles),
    owner: record.owner,
    // SQL stores have null for what is not set.
    tenant: record.tenant ?? undefined,
  });
  const expiresAt = endOf(record);
  const own = limitsOfKey(record.limits);
  if (record.allowedAddresses.length === 0) return { principal, expiresAt, ...own };
  const blocks = new BlockList();
  // A block that cannot be read allows nothing.
  for (const block of record.allowedAddresses) addBlock(blocks, block);
  return { principal, expiresAt, ...own, allowsAddress: (address) => isInBlocks(blocks, address) };
}

/** A list that a store or an application returned as text, or not at all, is no list to decide by. */
function within(own: readonly string[], limits: readonly string[]): readonly string[] {
  for (const list of [own, limits]) if (!Array.isArray(list)) throw new TypeError('rights are not a list');
  return own === limits ? own : own.filter((right) => limits.includes(right));
}
