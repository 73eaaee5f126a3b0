import type { RoutePolicy } from './route-policy.js';

/** Finds which methods a path knows, for 405 and `Allow` (R-HP-05): only asked after routing has failed. */
export class RouteIndex {
  readonly #routes: readonly { method: string; segments: readonly string[] }[];

  constructor(policies: readonly RoutePolicy[]) {
    this.#routes = policies.flatMap(({ locations }) =>
      locations.map(({ method, path }) => ({ method, segments: segmentsOf(path) })),
    );
  }

  /** The methods under which the path is served, sorted; empty if no route has it. */
  methodsOf(url: string): readonly string[] {
    const end = url.search(/[?#]/);
    const segments = segmentsOf(end < 0 ? url : url.slice(0, end));
    const methods = new Set<string>();
    for (const route of this.#routes) {
      if (!matches(route.segments, segments)) continue;
      methods.add(route.method);
      if (route.method === 'GET') methods.add('HEAD');
    }
    return [...methods].toSorted();
  }
}

function segmentsOf(path: string): string[] {
  return path
    .toLowerCase()
    .split('/')
    .filter((segment) => segment !== '');
}

function matches(template: readonly string[], segments: readonly string[]): boolean {
  for (const [index, expected] of template.entries()) {
    if (expected.includes('*')) return true;
    const segment = segments[index];
    if (segment === undefined) return false;
    if (!expected.includes(':') && expected !== segment) return false;
  }
  return template.length === segments.length;
}
