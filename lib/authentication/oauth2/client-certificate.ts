import { createHash, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import { canonicalAddress } from '../../http/ip-address.js';
import type { ProxyTrust } from '../../http/proxy-trust.js';

const MAX_HEADER = 16_384;

/**
 * The client's certificate by its SHA-256 (RFC 8705 §3.1): that of the TLS connection, which has proved the key, or the one
 * that a trusted proxy names in the configured header (R-DP-10).
 */
export class ClientCertificates {
  readonly #known = new WeakMap<object, string | null>();

  /** @param header in lower case; none: only the connection counts */
  constructor(
    private readonly header: string | undefined,
    private readonly trust: () => ProxyTrust,
  ) {}

  /** In base64url; `undefined` if the client has shown none. */
  thumbprintOf(request: IncomingMessage): string | undefined {
    if (this.header !== undefined && this.#isFromProxy(request))
      return this.#fromHeader(request, this.header);
    const { socket } = request;
    let known = this.#known.get(socket);
    if (known === undefined) {
      known = ofConnection(socket as Partial<TLSSocket>);
      this.#known.set(socket, known);
    }
    return known ?? undefined;
  }

  #isFromProxy({ socket }: IncomingMessage): boolean {
    const address = canonicalAddress(socket.remoteAddress ?? '');
    return address !== undefined && this.trust().trusts(address, 0);
  }

  #fromHeader({ rawHeaders }: IncomingMessage, header: string): string | undefined {
    const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === header);
    const [value, second] = values;
    // A second line may come from the client, whose proxy has only added its own.
    if (value === undefined || second !== undefined || value.length > MAX_HEADER) return undefined;
    try {
      return digest(derOf(value));
    } catch {
      return undefined;
    }
  }
}

function ofConnection(socket: Partial<TLSSocket>): string | null {
  if (socket.encrypted !== true) return null;
  const { raw } = (socket.getPeerCertificate?.(false) ?? {}) as { raw?: Buffer };
  return raw ? digest(raw) : null;
}

/** A byte sequence (RFC 8941 §3.3.5), or PEM in percent-encoding; X509Certificate refuses whatever is no certificate. */
function derOf(value: string): Buffer {
  const sequence = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value)?.[1];
  const source = sequence === undefined ? decodeURIComponent(value) : Buffer.from(sequence, 'base64');
  return new X509Certificate(source).raw;
}

const digest = (der: Buffer): string => createHash('sha256').update(der).digest('base64url');
