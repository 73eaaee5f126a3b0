import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** One field that an operation begins with: what is authorized and charged. */
export interface RootField {
  readonly node: FieldNode;
  readonly name: string;
  readonly size: SelectionSize;
}

/** How much stands below a field, fragments counted wherever they are spread. */
export interface SelectionSize {
  readonly depth: number;
  readonly fields: number;
  readonly aliases: number;
}

/** What the module has to know of one operation of a document. */
export interface OperationShape {
  readonly name: string | undefined;
  readonly type: OperationTypeNode;
  /** One for each name in the answer: the same field twice under one name runs once. */
  readonly rootFields: readonly RootField[];
  readonly size: SelectionSize;
  readonly asksSchema: boolean;
}

const NOTHING: SelectionSize = { depth: 0, fields: 0, aliases: 0 };
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/** Fragments that spread themselves: they have no size. */
export class CyclicFragments extends Error {}

/**
 * Measures a document in linear time, however often its fragments are spread.
 *
 * @throws CyclicFragments
 */
export function shapesOf(document: DocumentNode): readonly OperationShape[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const measure = new Measure(fragments);
  // A fragment that no operation uses is validated all the same.
  for (const name of fragments.keys()) measure.fragment(name);
  return operations.map((operation) => {
    const roots = [...measure.rootsOf(operation.selectionSet).values()];
    return {
      name: operation.name?.value,
      type: operation.operation,
      rootFields: roots.map((nodes) => ({
        node: nodes[0]!,
        name: nodes[0]!.name.value,
        size: measure.all(nodes),
      })),
      size: measure.all(operation.selectionSet.selections),
      asksSchema: roots.some(([node]) => INTROSPECTION.has(node!.name.value)),
    };
  });
}

/** How much an executor is about to do for one field, wherever its selections stand in the document. */
export function sizeOf(
  nodes: readonly FieldNode[],
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): SelectionSize {
  return new Measure(new Map(Object.entries(fragments))).all(nodes);
}

class Measure {
  readonly #known = new Map<string, SelectionSize | 'open'>();

  constructor(private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>) {}

  field(node: FieldNode): SelectionSize {
    const below = node.selectionSet ? this.all(node.selectionSet.selections) : NOTHING;
    return {
      // What the schema says of itself is bounded by a rule of its own, and deeper than data.
      depth: INTROSPECTION.has(node.name.value) ? 1 : below.depth + 1,
      fields: below.fields + 1,
      aliases: below.aliases + (node.alias ? 1 : 0),
    };
  }

  all(selections: readonly SelectionNode[]): SelectionSize {
    let { depth, fields, aliases } = NOTHING;
    for (const selection of selections) {
      const size =
        selection.kind === Kind.FIELD
          ? this.field(selection)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.all(selection.selectionSet.selections)
            : this.fragment(selection.name.value);
      depth = Math.max(depth, size.depth);
      fields += size.fields;
      aliases += size.aliases;
    }
    return { depth, fields, aliases };
  }

  fragment(name: string): SelectionSize {
    const known = this.#known.get(name);
    if (known === 'open') throw new CyclicFragments();
    if (known !== undefined) return known;
    const definition = this.fragments.get(name);
    if (!definition) return NOTHING;
    this.#known.set(name, 'open');
    const size = this.all(definition.selectionSet.selections);
    this.#known.set(name, size);
    return size;
  }

  /** The fields of an operation by their names in the answer; cycles have been found before. */
  rootsOf(set: SelectionSetNode, found = new Map<string, FieldNode[]>(), seen = new Set<string>()) {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        const nodes = found.get(key);
        if (nodes) nodes.push(selection);
        else found.set(key, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) this.rootsOf(selection.selectionSet, found, seen);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const definition = this.fragments.get(selection.name.value);
        if (definition) this.rootsOf(definition.selectionSet, found, seen);
      }
    }
    return found;
  }
}
