/** One thing that is wrong with the configuration, and how to mend it. Never holds a secret. */
export interface ConfigurationProblem {
  /** Stable identifier, such as `jwt.audience.missing`; docs/configuration-errors.md explains each. */
  readonly code: string;
  /** Where: an option path (`jwt.audience`) or a route (`POST /orders (OrdersController.create)`). */
  readonly where: string;
  readonly problem: string;
  readonly fix: string;
}

/** Thrown once at boot with every problem that was found. */
export class SecurityConfigurationError extends Error {
  constructor(readonly problems: readonly ConfigurationProblem[]) {
    super(describe(problems));
    this.name = 'SecurityConfigurationError';
  }
}

function describe(problems: readonly ConfigurationProblem[]): string {
  const lines = problems.map(
    ({ code, where, problem, fix }) => `  - ${where}: ${problem}\n    Fix: ${fix} [${code}]`,
  );
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `The security configuration has ${count}:\n${lines.join('\n')}`;
}

/** Collects problems so that all of them can be told at once. */
export class ConfigurationProblems {
  readonly #problems: ConfigurationProblem[] = [];

  add(code: string, where: string, problem: string, fix: string): void {
    this.#problems.push({ code, where, problem, fix });
  }

  get all(): readonly ConfigurationProblem[] {
    return this.#problems;
  }

  get size(): number {
    return this.#problems.length;
  }

  /** @throws SecurityConfigurationError if anything was added */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new SecurityConfigurationError(this.#problems);
  }
}
