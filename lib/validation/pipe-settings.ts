import type { DetailOptions } from './details.js';
import { DtoValidator } from './dto-validator.js';
import { detailOptions, type ValidationOptions } from './validation.options.js';

/** What the pipe of one parameter may have otherwise than the application's `validation`. */
export type PipeOptions = Pick<ValidationOptions, 'maxDetails' | 'status' | 'compiled'>;

/** How the pipe of one parameter judges and refuses: by its own options, and by the application's where it has none. */
export class PipeSettings {
  #details: DetailOptions;
  #dtos: DtoValidator;

  constructor(private readonly own: PipeOptions) {
    const options = detailOptions(own);
    this.#details = options;
    this.#dtos = new DtoValidator(options);
  }

  get details(): DetailOptions {
    return this.#details;
  }

  get dtos(): DtoValidator {
    return this.#dtos;
  }

  /**
   * Takes over what an application says. A decorator makes its pipe before there is an application; of several in one process
   * that share a controller, the one that was started last counts.
   */
  adopt(application: PipeOptions): void {
    const options = detailOptions(this.own, application);
    this.#details = options;
    this.#dtos = new DtoValidator(options);
  }
}
