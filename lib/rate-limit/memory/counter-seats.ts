import type { LimitCharge } from '../rate-limit-storage.js';
import type { Moment } from './counter-record.js';
import type { CounterTable, Place } from './counter-table.js';

const SWEEP_WHEN_FULL = 48;

/**
 * Finds out where the newcomers of a call can go; makes room for those that will be charged, if nothing speaks against it.
 *
 * @param places those of the charges, pointed at their counters
 * @param fit whether every enforced charge has room; asked once places are up to date
 */
export function seatNewcomers(
  table: CounterTable,
  places: readonly Place[],
  charges: readonly LimitCharge[],
  moment: Moment,
  fit: () => boolean,
): void {
  // Lapsed counters go first, wherever they are (R-RL-17).
  if (table.full) table.sweepSome(moment, SWEEP_WHEN_FULL);
  for (const place of places) place.find();
  const evict = fit();
  const repeated = places.map((place, i) => places.findIndex((other) => place.meets(other)) < i);
  let reserved = 0;
  let shared = false;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    const { cost } = charges[i]!;
    if (place.number >= 0 || repeated[i]) continue;
    if (table.hasRoom(place, reserved)) reserved++;
    else if (!table.makeRoom(place, places, moment, evict && cost > 0)) shared = true;
    else if (evict && cost > 0) {
      reserved++;
      for (const other of places) other.find();
    }
  }
  // All or none of a call's newcomers share, so that two charges of one counter cannot part.
  if (!shared) return;
  for (let i = 0; i < places.length; i++)
    if (places[i]!.number < 0) table.aimAtOverflow(places[i]!, charges[i]!.meter.limit);
}
