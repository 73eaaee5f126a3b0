import type { SecurityClock } from '../../clock.js';
import type { RedisConnection } from '../redis-connection.js';
import { DECIDE } from './decide-script.js';
import type { LimitNames } from './limit-names.js';
import type { LongerLife } from './longer-life.js';
import { ServerTimes } from './server-times.js';

/** Requests that one script decides about: more would keep the server from everybody else for too long. */
const MAX_GROUPS = 32;

/** Numbers before those of the groups: the hit, the changes of the clock, counters that were made. */
const HEAD = 3;

/** What one request asks. */
export interface Group<T> {
  readonly tag: string;
  /** Names of the counters. */
  readonly keys: readonly string[];
  /** Said in the moment in which it leaves. @param numberOf numbers the rules of a batch */
  readonly text: (numberOf: (rule: string) => number) => string;
  /** Numbers that answer it. */
  readonly size: number;
  /** Takes its part of the answer, from an index on; the first number of all is the hit. */
  readonly read: (numbers: readonly number[], from: number) => T;
}

interface Waiting {
  readonly group: Group<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends what is to be decided in one turn of the event loop in one script call, each request for itself and all or nothing. A request alone waits for
 * nothing but the rest of the turn. On a cluster only what is about one subject is together.
 */
export class DecisionBatches {
  readonly #connection: RedisConnection;
  readonly #names: LimitNames;
  readonly #clock: SecurityClock;
  readonly #times: ServerTimes;
  readonly #life: LongerLife;
  readonly #time: () => string;
  readonly #waiting = new Map<string, Waiting[]>();

  /** @param time what the scripts take for the time, in microseconds; empty for the server's */
  constructor(
    connection: RedisConnection,
    names: LimitNames,
    clock: SecurityClock,
    life: LongerLife,
    time: () => string = () => '',
  ) {
    this.#connection = connection;
    this.#names = names;
    this.#clock = clock;
    this.#times = new ServerTimes(clock);
    this.#life = life;
    this.#time = time;
  }

  send<T>(group: Group<T>): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const slot = this.#connection.isCluster ? group.tag : '';
      let batch = this.#waiting.get(slot);
      if (batch === undefined) {
        if (this.#waiting.size === 0) setImmediate(() => this.#flushAll());
        this.#waiting.set(slot, (batch = []));
      }
      batch.push({ group, resolve, reject });
      if (batch.length >= MAX_GROUPS) this.#flush(slot, batch);
    }) as Promise<T>;
  }

  #flushAll(): void {
    for (const [slot, batch] of this.#waiting) this.#flush(slot, batch);
  }

  #flush(slot: string, batch: readonly Waiting[]): void {
    this.#waiting.delete(slot);
    const clockKey = this.#names.clock(slot);
    const keys = [clockKey];
    const sent = this.#clock.monotonic();
    const args = [this.#time(), '', '', String(this.#life.ms), ...this.#times.bounds(clockKey, sent)];
    const numbers = new Map<string, number>();
    const numberOf = (rule: string): number => {
      let number = numbers.get(rule);
      if (number === undefined) {
        number = numbers.size + 1;
        numbers.set(rule, number);
        args[1] += rule;
      }
      return number;
    };
    for (const { group } of batch) {
      for (const key of group.keys) keys.push(key);
      args.push(group.text(numberOf));
    }
    args[2] = new Set(keys).size < keys.length ? '1' : '0';
    const failed = (error: unknown): void => {
      for (const { reject } of batch) reject(error);
    };
    this.#connection
      .run(DECIDE, keys, args)
      .then((answer) => this.#learn(settle(batch, answer), clockKey, sent), failed);
  }

  #learn([at, changes, made]: readonly number[], clockKey: string, sent: number): void {
    if (at === undefined || changes === undefined || made === undefined) return;
    this.#times.hear(clockKey, at, changes, sent);
    this.#life.add(made, this.#clock.monotonic());
  }
}

/** @returns the answer's numbers; none if it is no answer */
function settle(batch: readonly Waiting[], answer: unknown): readonly number[] {
  const size = batch.reduce((sum, { group }) => sum + group.size, HEAD);
  if (!Array.isArray(answer) || answer.length !== size) {
    const error = new Error('Redis gave an answer that is none');
    for (const { reject } of batch) reject(error);
    return [];
  }
  // A client can be told to give numbers as texts.
  const numbers = typeof answer[0] === 'number' ? (answer as number[]) : answer.map(Number);
  let from = HEAD;
  for (const { group, resolve } of batch) {
    resolve(group.read(numbers, from));
    from += group.size;
  }
  return numbers;
}
