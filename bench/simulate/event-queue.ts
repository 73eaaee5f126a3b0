/** What is to happen, by time: a binary heap. */
export class EventQueue {
  readonly #times: number[] = [];
  readonly #tasks: (() => void)[] = [];

  /** When the next task is due; infinite if there is none. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  add(time: number, task: () => void): void {
    const times = this.#times;
    const tasks = this.#tasks;
    let at = times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      tasks[at] = tasks[parent]!;
      at = parent;
    }
    times[at] = time;
    tasks[at] = task;
  }

  /** Takes the next task out; there must be one. */
  shift(): () => void {
    const times = this.#times;
    const tasks = this.#tasks;
    const first = tasks[0]!;
    const time = times.pop()!;
    const task = tasks.pop()!;
    const size = times.length;
    if (size === 0) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= time) break;
      times[at] = times[child]!;
      tasks[at] = tasks[child]!;
      at = child;
    }
    times[at] = time;
    tasks[at] = task;
    return first;
  }
}
