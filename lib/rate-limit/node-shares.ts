import { createMeter, type LimitMeter } from '../policy/limit-meter.js';
import type { LimitCharge } from './rate-limit-storage.js';

/** The limits of one node while nodes cannot count together: each has its part of the quota, and at least one unit of it. */
export class NodeShares {
  readonly #meters = new WeakMap<LimitMeter, { readonly nodes: number; readonly share: LimitMeter }>();

  /** @param nodes how many share the quota */
  of(charges: readonly LimitCharge[], nodes: number): readonly LimitCharge[] {
    if (nodes <= 1) return charges;
    return charges.map((charge) => ({ ...charge, meter: this.#shareOf(charge.meter, nodes) }));
  }

  #shareOf(meter: LimitMeter, nodes: number): LimitMeter {
    const known = this.#meters.get(meter);
    if (known?.nodes === nodes) return known.share;
    const part = (units: number) => Math.max(1, Math.floor(units / nodes));
    const share = createMeter({ ...meter, limit: part(meter.limit), burst: part(meter.burst) });
    this.#meters.set(meter, { nodes, share });
    return share;
  }
}
