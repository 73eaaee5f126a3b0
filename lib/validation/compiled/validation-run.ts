import type { ValidationError } from 'class-validator';

/** One validation under way: the answers that it still waits for. */
export class ValidationRun {
  #pending: Promise<unknown>[] | undefined;

  wait(answer: Promise<unknown>): void {
    (this.#pending ??= []).push(answer);
  }

  /** The errors, at once unless a rule answers later. */
  finish(errors: ValidationError[] | undefined): ValidationError[] | Promise<ValidationError[]> {
    if (this.#pending === undefined) return errors ?? [];
    return Promise.all(this.#pending).then(() => withoutEmpty(errors ?? []));
  }

  /** Nobody will ask for the answers any more: one that fails is no unhandled rejection. */
  abandon(): void {
    void Promise.allSettled(this.#pending ?? []);
  }
}

/** Drops the errors that were kept ready for rules that turned out to hold. */
function withoutEmpty(errors: readonly ValidationError[]): ValidationError[] {
  return errors.filter((error) => {
    if (error.children) error.children = withoutEmpty(error.children);
    return error.constraints !== undefined || error.children?.length !== 0;
  });
}
