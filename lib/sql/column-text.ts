/** The text of a column: binary columns of MySQL come as buffers. */
export const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);

/** Whether a text can be in a database at all; PostgreSQL has no U+0000, and none has half of a surrogate pair. */
export const isStorable = (value: string): boolean => !/[\0\p{Surrogate}]/u.test(value);
