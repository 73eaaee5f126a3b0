/** Names in the order of their declaration, to which most objects keep: comparing two takes half the time of looking one up. */
export class NameOrder {
  readonly #places: ReadonlyMap<string, number>;

  constructor(private readonly names: readonly string[]) {
    this.#places = new Map(names.map((name, place) => [name, place]));
    Object.freeze(this);
  }

  /** The place of a name, or -1. `expected` is the place after that of the name before. */
  placeOf(name: string, expected: number): number {
    return this.names[expected] === name ? expected : (this.#places.get(name) ?? -1);
  }
}
