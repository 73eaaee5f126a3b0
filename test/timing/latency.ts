import { connect, type Socket } from 'node:net';

/** Milliseconds that each request took, for both kinds. */
export type Samples = readonly [number[], number[]];

/** Make one request each, ready for the wire. */
export type Kinds = readonly [() => Buffer, () => Buffer];

/** Says how two kinds of request differ in time. */
export interface Difference {
  /** Welch's t: the difference of the means, in standard errors. */
  readonly t: number;
  /** Difference of the medians as a part of the median of all, without sign. */
  readonly medians: number;
}

/** One connection on which requests go one after another. */
export class Wire {
  readonly #socket: Socket;
  #answered: (text: string) => void = () => undefined;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      if (!isComplete(this.#text)) return;
      const text = this.#text;
      this.#text = '';
      this.#answered(text);
    });
  }

  static open(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Wire(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends a request that is ready for the wire; @returns the answer as it came. */
  ask(request: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A `GET` for the wire: bytes, so that no kind of request leaves it to the time to put its text together. */
export const getRequest = (path: string, authorization: string): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);

/**
 * Times two kinds of request over one connection, in pairs whose order is random, so that whatever else the machine does
 * meets both. Server and client share this process, so that no other scheduler stands between them: a busy machine makes
 * the bounds easier to keep, never harder.
 */
export async function sampleTimes(wire: Wire, kinds: Kinds, pairs: number): Promise<Samples> {
  const samples: Samples = [[], []];
  const time = async (kind: 0 | 1): Promise<void> => {
    const request = kinds[kind]();
    const before = performance.now();
    await wire.ask(request);
    samples[kind].push(performance.now() - before);
  };
  for (let i = 0; i < pairs; i += 1) {
    const first = Math.random() < 0.5 ? 0 : 1;
    await time(first);
    await time(first === 0 ? 1 : 0);
  }
  return samples;
}

/** Compares samples without the slowest hundredth of both together: there the garbage collector and the kernel speak. */
export function differenceOf(samples: Samples): Difference {
  const all = samples.flat().toSorted(ascending);
  const cut = all[Math.floor(all.length * 0.99)] ?? Infinity;
  const [one, two] = samples.map((values) => values.filter((value) => value <= cut)) as [number[], number[]];
  return {
    t: welch(one, two),
    medians: Math.abs(median(one) - median(two)) / median([...one, ...two]),
  };
}

/**
 * Samples until a difference is as small as it should be, three times at most. Bounds such as |t| < 4.5 are crossed by chance
 * once in 150 000 samples, and by a machine that changes its pace in the middle of one; a leak crosses them every time.
 *
 * @returns the last difference
 */
export async function settledDifference(
  wire: Wire,
  kinds: Kinds,
  pairs: number,
  isSmall: (difference: Difference) => boolean,
): Promise<Difference> {
  // Code that has just been compiled, and caches that fill up, belong to no kind.
  await sampleTimes(wire, kinds, pairs / 10);
  for (let attempt = 1; ; attempt += 1) {
    const difference = differenceOf(await sampleTimes(wire, kinds, pairs));
    if (isSmall(difference) || attempt === 3) return difference;
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted(ascending);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

function welch(one: readonly number[], two: readonly number[]): number {
  return (mean(one) - mean(two)) / Math.sqrt(variance(one) / one.length + variance(two) / two.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

const ascending = (a: number, b: number): number => a - b;

function isComplete(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
  return text.length >= head + 4 + Number(length ?? 0);
}
