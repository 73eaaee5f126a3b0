import { buildResourceMetadata, metadataLocation } from '../authentication/oauth2/resource-metadata.js';
import type { SigningKeys } from '../authentication/jwt/token-issuer.js';
import type { PublishedDocument } from '../http/published-document.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import type { RouteIndex } from '../policy/route-index.js';
import type { SecurityConfiguration } from './security-configuration.js';

const JWKS_PATH = '/.well-known/jwks.json';

/** What the module itself answers with, by path: metadata of the resource (RFC 9728) and the keys of its own tokens. */
export function publishedDocuments(
  { options: { oauth2 }, ownIssuer, dpop }: SecurityConfiguration,
  policies: readonly RoutePolicy[],
  routes: RouteIndex,
): ReadonlyMap<string, PublishedDocument> {
  const documents = new Map<string, PublishedDocument>();
  if (oauth2) {
    const text = buildResourceMetadata(oauth2, policies, dpop);
    const contentType = 'application/json; charset=utf-8';
    documents.set(metadataLocation(oauth2.resource).path, { contentType, maxAge: 3_600, text: () => text });
  }
  // An application that has always had a route for it keeps it.
  if (ownIssuer?.signer && routes.methodsOf(JWKS_PATH).length === 0) {
    const { signer } = ownIssuer;
    const contentType = 'application/jwk-set+json';
    documents.set(JWKS_PATH, { contentType, maxAge: 300, text: () => keySetText(signer) });
  }
  return documents;
}

function keySetText(keys: SigningKeys): string {
  // While there are none, the key that signs says why.
  keys.signer();
  return JSON.stringify({ keys: keys.publicJwks() });
}
