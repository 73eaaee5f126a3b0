import type { RequestState } from './request-state.js';

/** Answers requests below the framework: everything before routing has been checked, and nothing of the body read. */
export interface Mount {
  /** @param path without query */
  takes(path: string): boolean;
  /** Must answer, and never throw. */
  handle(state: RequestState): void;
}

/** @internal Where a module of this package can take whole paths for itself. */
export class MountedPaths {
  readonly #mounts: Mount[] = [];

  add(mount: Mount): void {
    this.#mounts.push(mount);
  }

  /** @param url as it was sent */
  find(url: string): Mount | undefined {
    if (this.#mounts.length === 0) return undefined;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    return this.#mounts.find((mount) => mount.takes(path));
  }
}
