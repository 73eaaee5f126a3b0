/** Words of placeholders; by chance none stands in a random text of a secret's length. */
const PLACEHOLDER_WORDS = [
  'secret',
  'passw',
  'change',
  'example',
  'default',
  'qwerty',
  '123456',
  'abcdef',
  'letmein',
  'insert',
];

/** Secrets that specifications and manuals print, as text or as the base64url of their bytes. */
const PUBLISHED: ReadonlySet<string> = new Set([
  // RFC 7515 appendix A.1, RFC 7520 section 3.5, RFC 7517 appendix A.3.
  'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
  'GawgguFyGrWKav7AX4VKUg',
  // What framework manuals print most often.
  'GQDstcKsx0NHjPOuXOYg5MbeJ1XT0uFiwDVvVBrk',
  '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
  'C2DAE61D8D7BC1F0A6DD5A2A4BC5C9E2',
]);

const MIN_DISTINCT_BYTES = 10;

/**
 * What is wrong with a secret for HMAC, in words for the operator that do not repeat it; `undefined` if nothing was found
 * (R-JW-21). Finds what is short, patterned or published; that it is random nobody can see from outside.
 */
export function findSecretWeakness(bytes: Buffer, minBytes: number): string | undefined {
  if (bytes.length < minBytes) return `has ${bytes.length} bytes where the algorithm needs ${minBytes}`;
  if (new Set(bytes).size < MIN_DISTINCT_BYTES || isProgression(bytes) || isRepetition(bytes))
    return 'is a pattern, not random';
  const text = bytes.toString('latin1');
  const lower = text.toLowerCase();
  const published = PUBLISHED.has(bytes.toString('base64url')) || PUBLISHED.has(text);
  if (published || PLACEHOLDER_WORDS.some((word) => lower.includes(word)))
    return 'is a published example or a placeholder';
  return undefined;
}

/** 0, 1, 2, 3 … or any other even steps. */
function isProgression(bytes: Buffer): boolean {
  const step = (bytes[1]! - bytes[0]! + 256) % 256;
  return bytes.every((byte, i) => i === 0 || (byte - bytes[i - 1]! + 256) % 256 === step);
}

/** A shorter secret written several times. */
function isRepetition(bytes: Buffer): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (bytes.subarray(period).equals(bytes.subarray(0, bytes.length - period))) return true;
  }
  return false;
}
