import { fetchJson, OutboundFailure, type OutboundLimits } from './fetch-json.js';

/**
 * What an issuer says about itself: OpenID Connect Discovery 1.0 §4, or RFC 8414 §3. It must name exactly this issuer (R-OA-01).
 *
 * @throws OutboundFailure
 */
export async function fetchMetadata(
  issuer: string,
  limits: OutboundLimits,
): Promise<Readonly<Record<string, unknown>>> {
  const began = performance.now();
  let failure: unknown;
  for (const url of metadataUrls(issuer)) {
    const left = limits.timeoutMs - (performance.now() - began);
    if (left <= 0) break;
    try {
      const { json } = await fetchJson(url, { ...limits, timeoutMs: left });
      const metadata = (json ?? {}) as Readonly<Record<string, unknown>>;
      if (metadata['issuer'] === issuer) return metadata;
      failure = new OutboundFailure('the metadata is that of another issuer');
    } catch (error) {
      failure = error;
    }
  }
  throw failure ?? new OutboundFailure('no answer in time');
}

/** Where an issuer's metadata may be: its path comes before the well-known name in the one, and behind it in the other. */
export function metadataUrls(issuer: string): readonly URL[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ];
}
