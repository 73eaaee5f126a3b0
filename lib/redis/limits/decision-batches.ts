import type { RedisConnection } from '../redis-connection.js';
import { DECIDE } from './limit-scripts.js';

/** Requests that one script decides about: more would keep the server from everybody else for too long. */
const MAX_GROUPS = 32;

/** Takes its part of the answer, from an index on; the first number of all is the hit. */
type Take = (numbers: readonly number[], from: number) => void;

interface Batch {
  readonly keys: string[];
  readonly texts: (string | (() => string))[];
  readonly groups: { readonly take: Take; readonly fail: (error: unknown) => void; readonly from: number }[];
  /** Numbers that the answer will have. */
  size: number;
}

/**
 * Sends what is to be decided in one turn of the event loop in one script call, each request for itself and all or nothing. A request alone waits for
 * nothing but the rest of the turn. On a cluster only what is about one subject is together.
 */
export class DecisionBatches {
  readonly #connection: RedisConnection;
  readonly #time: () => string;
  readonly #waiting = new Map<string, Batch>();

  /** @param time what the scripts take for the time, in microseconds; empty for the server's */
  constructor(connection: RedisConnection, time: () => string) {
    this.#connection = connection;
    this.#time = time;
  }

  /**
   * @param group a text, or what makes it in the moment in which it leaves
   * @param size numbers that answer it
   */
  send<T>(
    tag: string,
    keys: readonly string[],
    group: string | (() => string),
    size: number,
    read: (numbers: readonly number[], from: number) => T,
  ): Promise<T> {
    const slot = this.#connection.isCluster ? tag : '';
    return new Promise<T>((resolve, reject) => {
      const batch = this.#batchOf(slot);
      batch.keys.push(...keys);
      batch.texts.push(group);
      const take: Take = (numbers, from) => resolve(read(numbers, from));
      batch.groups.push({ take, fail: reject, from: batch.size });
      batch.size += size;
      if (batch.groups.length >= MAX_GROUPS) this.#flush(slot, batch);
    });
  }

  #batchOf(slot: string): Batch {
    let batch = this.#waiting.get(slot);
    if (batch === undefined) {
      if (this.#waiting.size === 0) setImmediate(() => this.#flushAll());
      batch = { keys: [], texts: [this.#time()], groups: [], size: 1 };
      this.#waiting.set(slot, batch);
    }
    return batch;
  }

  #flushAll(): void {
    for (const [slot, batch] of this.#waiting) this.#flush(slot, batch);
  }

  #flush(slot: string, batch: Batch): void {
    this.#waiting.delete(slot);
    const args = batch.texts.map((text) => (typeof text === 'string' ? text : text()));
    this.#connection.run(DECIDE, batch.keys, args).then(
      (answer) => settle(batch, answer),
      (error: unknown) => {
        for (const { fail } of batch.groups) fail(error);
      },
    );
  }
}

function settle({ groups, size }: Batch, answer: unknown): void {
  if (!Array.isArray(answer) || answer.length !== size) {
    const error = new Error('Redis gave an answer that is none');
    for (const { fail } of groups) fail(error);
    return;
  }
  // A client can be told to give numbers as texts.
  const numbers = typeof answer[0] === 'number' ? (answer as number[]) : answer.map(Number);
  for (const { take, from } of groups) take(numbers, from);
}
