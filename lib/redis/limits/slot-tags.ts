const SLOTS = 16_384;
const tags: string[] = [];
let tried = 0;

/** The slot of a hash tag of ASCII characters, as in the specification of Redis Cluster: CRC16 (XMODEM). */
function slotOf(tag: string): number {
  let crc = 0;
  for (let i = 0; i < tag.length; i++) {
    crc ^= tag.charCodeAt(i) << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/** One short tag for all tags of its slot: for what there is once in each slot. */
export function slotTagOf(tag: string): string {
  const slot = slotOf(tag);
  while (tags[slot] === undefined) {
    const text = (tried++).toString(36);
    tags[slotOf(text)] ??= text;
  }
  return tags[slot];
}
