import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { isRawOptions, OptionChecks } from '../jwt/option-checks.js';

/** Access tokens that are bound to the client's certificate (RFC 8705). */
export interface MtlsOptions {
  /**
   * The header in which a trusted proxy hands on the certificate that it has verified: as RFC 9440 writes it (`:base64:`),
   * or as URL-encoded PEM. None by default: then only the certificate of the connection itself counts. The proxy must remove
   * the header from what clients send.
   */
  readonly certificateHeader?: string;
}

/** Checks the options. @returns the header in lower case */
export function compileMtlsOptions(options: unknown, problems: ConfigurationProblems): string | undefined {
  const where = 'oauth2.mtls';
  if (options === undefined) return undefined;
  if (!isRawOptions(options)) {
    problems.add(`${where}.type`, where, 'is no object', 'give { certificateHeader }, or leave it out');
    return undefined;
  }
  const checks = new OptionChecks(options, where, where, problems);
  checks.onlyKnown(['certificateHeader']);
  const { certificateHeader: name } = options;
  if (name === undefined) return undefined;
  if (typeof name === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(name)) return name.toLowerCase();
  checks.report('certificateHeader', 'invalid', 'is no name of a header', "write one such as 'Client-Cert'");
  return undefined;
}
