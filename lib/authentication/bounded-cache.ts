interface Entry<V> {
  value: V;
  /** Written again since it took its place in the row. */
  renewed: boolean;
}

/** Renewed entries that one eviction moves to the end of the row; after so many the next one goes in any case. */
const MAX_MOVES = 8;

/**
 * A cache of fixed size that forgets an entry written long ago. What a client makes up can push out other entries, but never
 * make it grow.
 *
 * A `Map` in order of writing would do, but it keeps a hole for each entry that is deleted, and walks over them: one key
 * written over and over would cost microseconds, and more than others do (R-AK-06). So an entry stays in its place when it
 * is written again, and moves to the end only when its turn to be forgotten has come.
 */
export class BoundedCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  /** Stands before the oldest entry and never looks back, so holes are passed once. */
  #hand = this.#entries.keys();

  constructor(private readonly maxEntries: number) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Adds an entry, or replaces one, which then outlives those that are not written again. */
  set(key: string, value: V): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      known.renewed = true;
      return;
    }
    if (this.#entries.size >= this.maxEntries) this.#evict();
    this.#entries.set(key, { value, renewed: false });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets every entry for which the test holds; walks them all, so not for every request. */
  deleteWhere(test: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (test(value)) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #evict(): void {
    for (let moves = 0; ;) {
      const { value: key, done } = this.#hand.next();
      if (done) {
        // At the end a Map's iterator stays there, whatever is added later.
        this.#hand = this.#entries.keys();
        if (this.#entries.size === 0) return;
        continue;
      }
      const entry = this.#entries.get(key);
      this.#entries.delete(key);
      if (entry?.renewed !== true || moves >= MAX_MOVES) return;
      entry.renewed = false;
      this.#entries.set(key, entry);
      moves += 1;
    }
  }
}
