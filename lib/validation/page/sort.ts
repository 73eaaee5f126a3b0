import type { PageSort } from './page.options.js';

/** Reads `name,-createdAt`: known fields, each once; `undefined` for anything else. */
export function readSort(
  text: string,
  columns: Readonly<Record<string, string>>,
  maxFields: number,
): readonly PageSort[] | undefined {
  const parts = text.split(',', maxFields + 1);
  if (parts.length > maxFields) return undefined;
  const order: PageSort[] = [];
  for (const part of parts) {
    const descending = part.startsWith('-');
    const field = descending ? part.slice(1) : part;
    if (!Object.hasOwn(columns, field) || order.some((one) => one.field === field)) return undefined;
    order.push({ field, column: columns[field]!, direction: descending ? 'desc' : 'asc' });
  }
  return order;
}
