/** Where in an input something stands; kept as a chain, so that text is only made when there is something to report. */
export interface InputPath {
  readonly parent: InputPath | undefined;
  /** The member's name, or `undefined` for an item of a list. */
  readonly name: string | undefined;
  /** Its place among the declared properties, or the item's index: what details are sorted by. */
  readonly order: number;
}

/** A member of an object. */
export function member(parent: InputPath | undefined, name: string, order: number): InputPath {
  return { parent, name, order };
}

/** An item of a list. */
export function item(parent: InputPath | undefined, index: number): InputPath {
  return { parent, name: undefined, order: index };
}

/** The path as the contract writes it: `items[2].sku`; empty for the input itself. */
export function pathText(path: InputPath | undefined): string {
  let text = '';
  for (let node = path; node; node = node.parent) {
    const step = node.name === undefined ? `[${node.order}]` : node.name;
    text = text === '' || text.startsWith('[') ? step + text : `${step}.${text}`;
  }
  return text;
}

/** The places from the root down. */
export function pathOrder(path: InputPath | undefined): number[] {
  const order: number[] = [];
  for (let node = path; node; node = node.parent) order.push(node.order);
  return order.toReversed();
}

/** The step right below `base` on the way to a path. */
export function stepBelow(base: InputPath | undefined, path: InputPath): InputPath {
  let node = path;
  while (node.parent && node.parent !== base) node = node.parent;
  return node;
}

const NAME_LENGTH = 64;

/** A name that the client chose, cut and stripped of what could do harm in a log or a page (R-IV-28). */
export function safeName(name: string): string {
  return name.slice(0, NAME_LENGTH).replaceAll(/[^\w.-]/g, '?');
}
