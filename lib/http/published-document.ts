/** A JSON document that anybody may read, at a path of its own, such as metadata and keys. */
export interface PublishedDocument {
  readonly contentType: string;
  /** How long others may keep it, in seconds. */
  readonly maxAge: number;
  /** The text now. @throws SecurityError if it cannot be had */
  readonly text: () => string;
}
