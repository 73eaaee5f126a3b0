/**
 * Whether a double would change a JSON number beyond recognition (R-IV-07): it overflows, becomes zero, is whole and beyond
 * 2^53−1, or becomes whole by rounding, so that a rule for integers would see one.
 */
export function isUnsafeNumber(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return true;
  if (!Number.isInteger(value)) return false;
  if (!Number.isSafeInteger(value)) return true;
  const [mantissa = '', exponent] = literal.split(/[eE]/, 2);
  if (value === 0) return /[1-9]/.test(mantissa);
  const [whole = '', fraction = ''] = mantissa.split('.', 2);
  return fraction.length - trailingZeros(whole + fraction) > Number(exponent ?? 0);
}

function trailingZeros(digits: string): number {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.length - end;
}
