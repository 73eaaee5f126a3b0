import { isAscii } from 'node:buffer';

import { SecurityError } from '../../errors/security-error.js';
import { readQuery } from '../query/strict-query.js';

/**
 * A strict `application/x-www-form-urlencoded` body, for routes that declare that type: the same rules as a query.
 *
 * @throws SecurityError `MALFORMED_REQUEST`; also for a field that comes twice, which no form of one value does (R-IV-18)
 */
export function parseForm(bytes: Buffer): Record<string, string> {
  // Anything else has to come percent-encoded (WHATWG URL §5.1).
  if (!isAscii(bytes))
    throw new SecurityError('MALFORMED_REQUEST', 'The form is malformed', { reason: 'form.encoding' });
  const form = Object.create(null) as Record<string, string>;
  for (const [name, values] of Object.entries(readQuery(bytes.toString('latin1')))) {
    if (values.length > 1)
      throw new SecurityError('MALFORMED_REQUEST', 'A form field comes twice', { reason: 'form.repeated' });
    form[name] = values[0]!;
  }
  return form;
}
