import { type ASTVisitor, type DocumentNode, GraphQLError, parse, type ValidationContext } from 'graphql';

import { SecurityError } from '../errors/security-error.js';
import { CyclicFragments, type OperationShape, shapesOf } from './document-shape.js';
import type { DocumentBounds } from './graphql-security.options.js';

/** Documents whose shape is remembered, and how long one of them may be. */
const REMEMBERED = 500;
const REMEMBERED_LENGTH = 10_000;

/** Reads documents and holds them against their bounds, before a driver sees them. */
export class DocumentCheck {
  readonly #known = new Map<string, readonly OperationShape[]>();

  constructor(private readonly bounds: DocumentBounds) {}

  /**
   * The operations of a document.
   *
   * @throws SecurityError `MALFORMED_REQUEST`; `PAYLOAD_TOO_COMPLEX` over a bound; `FORBIDDEN` for introspection that is off
   */
  read(text: string): readonly OperationShape[] {
    const known = this.#known.get(text);
    if (known) return known;
    const shapes = this.shapesOf(this.#parse(text));
    if (text.length <= REMEMBERED_LENGTH) {
      if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(text, shapes);
    }
    return shapes;
  }

  /** The same for a document that has been parsed. */
  shapesOf(document: DocumentNode): readonly OperationShape[] {
    try {
      const shapes = shapesOf(document);
      for (const shape of shapes) this.#hold(shape);
      return shapes;
    } catch (error) {
      throw error instanceof CyclicFragments ? malformed('fragments') : this.#ofStack(error);
    }
  }

  /** For documents that are no part of the request, such as persisted ones: a rule beside those of the specification. */
  get rule(): (context: ValidationContext) => ASTVisitor {
    return (context) => ({
      Document: (document) => {
        try {
          this.shapesOf(document);
        } catch (error) {
          if (!(error instanceof SecurityError)) throw error;
          context.reportError(new GraphQLError(error.message, { originalError: error }));
        }
      },
    });
  }

  #parse(text: string): DocumentNode {
    try {
      return parse(text, { maxTokens: this.bounds.maxTokens, noLocation: true });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw this.#ofStack(error);
      throw / tokens\b/.test(error.message) ? tooComplex('tokens') : malformed('syntax');
    }
  }

  #hold({ size, asksSchema }: OperationShape): void {
    const { maxDepth, maxAliases, maxFields, introspection } = this.bounds;
    if (asksSchema && !introspection) {
      throw new SecurityError('FORBIDDEN', 'Introspection is off', { reason: 'graphql.introspection' });
    }
    if (size.depth > maxDepth) throw tooComplex('depth');
    if (size.aliases > maxAliases) throw tooComplex('aliases');
    if (size.fields > maxFields) throw tooComplex('fields');
  }

  /** What nests too deep for the parser ends its stack. */
  #ofStack(error: unknown): unknown {
    return error instanceof RangeError ? tooComplex('stack') : error;
  }
}

function tooComplex(bound: string): SecurityError {
  return new SecurityError('PAYLOAD_TOO_COMPLEX', 'The document is too complex', {
    reason: `graphql.${bound}`,
  });
}

function malformed(fault: string): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'The document is no valid GraphQL', {
    reason: `graphql.${fault}`,
  });
}
