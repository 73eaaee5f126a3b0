/** What no language writes, and UAX #15 §13 (stream-safe text) does not allow. */
const PILE = /\p{M}{31}/u;

/**
 * Whether more than 30 marks stand on one letter. Putting them in order takes time that grows with the square of their number, so
 * this has to be asked before `normalize()` is: 50 000 of them keep a process busy for seconds (R-IV-16).
 */
export function hasPiledMarks(text: string): boolean {
  return PILE.test(text);
}
