import { createServer } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { DiscoveredUrl } from '../../../lib/authentication/jwt/discovered-url.js';
import { listen } from '../../support/listen.js';

const LIMITS = { maxBytes: 10_000, accept: 'application/json', allowsPrivate: true };
const HOUR = 3_600_000;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An issuer whose metadata can be changed, or held back. */
async function withIssuer(metadataOf: (issuer: string) => object) {
  const state = { looks: 0, silent: false, metadata: {} as object };
  const server = createServer((_, response) => {
    state.looks++;
    if (!state.silent) response.end(JSON.stringify(state.metadata));
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${await listen(server)}`;
  state.metadata = metadataOf(issuer);
  const place = new DiscoveredUrl(issuer, 'introspection_endpoint', LIMITS);
  const find = async (now: number, timeoutMs = 1_000) =>
    place.find(timeoutMs, now).then(
      ({ pathname }) => pathname,
      ({ message }: Error) => message,
    );
  return { state, issuer, find };
}

describe('a place that metadata name', () => {
  it('R-OA-01 R-OA-05 is looked up once for all who need it, and again after an hour', async () => {
    const { state, issuer, find } = await withIssuer((name) => ({
      issuer: name,
      introspection_endpoint: `${name}/here`,
    }));
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => find(0))))).toEqual(new Set(['/here']));
    expect(await find(HOUR - 1)).toBe('/here');
    expect(state.looks).toBe(1);
    state.metadata = { issuer, introspection_endpoint: `${issuer}/there` };
    expect(await find(HOUR)).toBe('/there');
    expect(state.looks).toBe(2);
  });

  it('R-OA-08 stays where it was while the metadata are silent, and they cost half of the time once in a while', async () => {
    const { state, find } = await withIssuer((name) => ({
      issuer: name,
      introspection_endpoint: `${name}/here`,
    }));
    await find(0);
    state.silent = true;
    const began = performance.now();
    expect(await find(HOUR)).toBe('/here');
    expect(performance.now() - began).toBeLessThan(900);
    const { looks } = state;
    expect(await find(HOUR + 29_000)).toBe('/here');
    expect(state.looks).toBe(looks);
    state.silent = false;
    expect(await find(HOUR + 31_000)).toBe('/here');
    // A busy machine may be too slow for the first of the two places to look at.
    expect(state.looks).toBeGreaterThan(looks);
  });

  it.each<[string, (issuer: string) => object, string]>([
    ['nothing', (issuer) => ({ issuer }), 'names no https introspection_endpoint'],
    [
      'a plain place',
      (issuer) => ({ issuer, introspection_endpoint: 'http://id.example/i' }),
      'names no https',
    ],
    ['no text', (issuer) => ({ issuer, introspection_endpoint: [`${issuer}/i`] }), 'names no https'],
    [
      'another issuer',
      (issuer) => ({ issuer: `${issuer}/`, introspection_endpoint: `${issuer}/i` }),
      'another issuer',
    ],
  ])('R-OA-01 metadata with %s are no place', async (_, metadataOf, message) => {
    const { find } = await withIssuer(metadataOf);
    expect(await find(0)).toContain(message);
  });
});
