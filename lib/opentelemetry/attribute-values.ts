/** What OpenTelemetry calls a value that is none of the known ones. */
export const OTHER = '_OTHER';
const MAX_VALUES = 500;

/**
 * The values of one attribute, of which there are only so many: each makes time series of its own, and whoever can invent values must not be
 * able to fill a metrics store with them.
 */
export class AttributeValues {
  readonly #known = new Set<string>();

  constructor(private readonly max: number = MAX_VALUES) {}

  /** The value itself, or `_OTHER` once there are too many. */
  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.max) return OTHER;
    this.#known.add(value);
    return value;
  }
}
