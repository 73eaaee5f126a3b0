export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** As they came: every line, in order, names in their own spelling. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The values of a header, joined with `, `; `undefined` if it is missing. */
  header(name: string): string | undefined;
  /** Decoded from chunks, as UTF-8. */
  readonly body: string;
}

interface Head extends Omit<RawResponse, 'body'> {
  readonly bodyLength: number | 'chunked' | 'until-close';
}

/** Cuts a stream of bytes into HTTP/1.1 responses. What is cut short by the end of the connection counts as it is. */
export class ResponseReader {
  readonly responses: RawResponse[] = [];
  finalResponses = 0;
  #rest: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  readonly #methods: readonly string[];

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  get isInsideResponse(): boolean {
    return this.#head !== undefined || this.#rest.length > 0;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#readOne());
  }

  end(): void {
    if (this.#head === undefined) return;
    const { bodyLength } = this.#head;
    this.#finish(bodyLength === 'chunked' ? decodeChunks(this.#rest).body : this.#rest, this.#rest.length);
  }

  #readOne(): boolean {
    if (this.#head === undefined) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return false;
      const isHead = this.#methods[this.finalResponses] === 'HEAD';
      this.#head = parseHead(this.#rest.toString('latin1', 0, end), isHead);
      this.#rest = this.#rest.subarray(end + 4);
    }
    const { bodyLength } = this.#head;
    if (bodyLength === 'until-close') return false;
    if (bodyLength === 'chunked') {
      const { body, end } = decodeChunks(this.#rest);
      if (end === undefined) return false;
      this.#finish(body, end);
      return true;
    }
    if (this.#rest.length < bodyLength) return false;
    this.#finish(this.#rest.subarray(0, bodyLength), bodyLength);
    return true;
  }

  #finish(body: Buffer, consumed: number): void {
    if (this.#head === undefined) return;
    const { bodyLength: _, ...head } = this.#head;
    this.responses.push({ ...head, body: body.toString('utf8') });
    if (head.status >= 200) this.finalResponses += 1;
    this.#head = undefined;
    this.#rest = this.#rest.subarray(consumed);
  }
}

function parseHead(text: string, isHead: boolean): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, status = '0', ...reason] = statusLine.split(' ');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const header = (name: string): string | undefined => {
    const values = headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
  };
  const code = Number(status);
  const bodyLength =
    isHead || code < 200 || code === 204 || code === 304
      ? 0
      : header('transfer-encoding') === 'chunked'
        ? 'chunked'
        : header('content-length') === undefined
          ? 'until-close'
          : Number(header('content-length'));
  return { status: code, reason: reason.join(' '), headers, header, bodyLength };
}

/** The chunks read so far; `end` is where the last one ended, once it is there. Trailers are passed over. */
function decodeChunks(bytes: Buffer): { body: Buffer; end?: number } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(chunks) };
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) {
      const blank = bytes.indexOf('\r\n\r\n', lineEnd);
      return blank < 0 ? { body: Buffer.concat(chunks) } : { body: Buffer.concat(chunks), end: blank + 4 };
    }
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) {
      return { body: Buffer.concat([...chunks, bytes.subarray(start, start + size)]) };
    }
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
