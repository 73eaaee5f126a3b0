/** Lets tasks of one name run one after the other, in the order of asking; those of other names run beside them. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs a task when those before it are done, however they ended. */
  async take<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const running = before.then(task);
    const done = running.then(nothing, nothing);
    this.#last.set(name, done);
    try {
      return await running;
    } finally {
      if (this.#last.get(name) === done) this.#last.delete(name);
    }
  }
}

function nothing(): void {
  // Only the end counts.
}
