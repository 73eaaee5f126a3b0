/** Remembers DPoP proofs for as long as they would be taken again. Shared by all nodes of an application (R-DP-06). */
export interface DpopReplayStore {
  /**
   * Notes a proof, in one atomic step.
   *
   * @param proof digest that stands for the proof
   * @param ttlMs how long it must be remembered, in milliseconds
   * @returns whether it was new
   */
  use(proof: string, ttlMs: number): boolean | Promise<boolean>;
}

/**
 * The proofs that one process has seen. Bounded: when it is full no proof is taken until older ones have lapsed, because a
 * proof that is forgotten could be used a second time.
 */
export class MemoryDpopReplayStore implements DpopReplayStore {
  #younger = new Set<string>();
  #older = new Set<string>();
  #turnsAt = Number.NEGATIVE_INFINITY;

  /** @param maxProofs that are remembered at once; half a million by default */
  constructor(private readonly maxProofs = 500_000) {}

  /** @throws Error if it is full */
  use(proof: string, ttlMs: number): boolean {
    const now = performance.now();
    if (now >= this.#turnsAt) {
      // Both halves have lapsed if nobody came for so long.
      this.#older = now >= this.#turnsAt + ttlMs ? new Set() : this.#younger;
      this.#younger = new Set();
      this.#turnsAt = now + ttlMs;
    }
    if (this.#younger.has(proof) || this.#older.has(proof)) return false;
    if (this.#younger.size + this.#older.size >= this.maxProofs) throw new Error('too many DPoP proofs');
    this.#younger.add(proof);
    return true;
  }
}
