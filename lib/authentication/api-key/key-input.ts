import { BlockList } from 'node:net';

import { type ErrorDetail, SecurityError } from '../../errors/security-error.js';
import { addBlock } from '../../http/proxy-trust.js';

/** What can be chosen about a key. */
export interface KeyInput {
  /** For people; 1–100 characters. */
  readonly name: string;
  /** What the key may do; none means nothing (R-AK-08). At most 100. */
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
  /** CIDR blocks or addresses from which the key works; from anywhere by default. At most 100. */
  readonly allowedAddresses?: readonly string[];
  /** Up to 20 short texts of the application's own. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly expiresAt?: number;
}

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

/** @throws SecurityError `VALIDATION_FAILED` with every problem */
export function checkKeyInput(input: KeyInput, now: number): void {
  const { name, scopes, roles = [], allowedAddresses = [], metadata = {}, expiresAt } = input;
  const details: ErrorDetail[] = [];
  const bad = (path: string, message: string) => details.push({ path, rule: 'apiKey', message });
  if (name.length < 1 || name.length > 100) bad('name', 'name must have 1 to 100 characters');
  if (scopes.length > 100 || !scopes.every((scope) => SCOPE.test(scope)))
    bad('scopes', 'scopes must be up to 100 scope names');
  if (roles.length > 100 || !roles.every((role) => role.length > 0 && role.length <= 128))
    bad('roles', 'roles must be up to 100 names');
  if (allowedAddresses.length > 100 || !allowedAddresses.every((block) => addBlock(new BlockList(), block))) {
    bad('allowedAddresses', 'allowedAddresses must be up to 100 addresses or CIDR blocks');
  }
  const entries = Object.entries(metadata);
  if (entries.length > 20 || entries.some(([key, value]) => key.length > 64 || value.length > 512)) {
    bad('metadata', 'metadata must have up to 20 short entries');
  }
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt > now))
    bad('expiresAt', 'expiresAt must lie ahead');
  if (details.length > 0) throw new SecurityError('VALIDATION_FAILED', 'Validation failed', { details });
}
