/** The throttler takes numbers as text too, such as those of the environment; anything else is left for the boot to refuse. */
export function staticNumber(value: unknown): number {
  return (typeof value === 'string' && value.trim() !== '' ? Number(value) : value) as number;
}
