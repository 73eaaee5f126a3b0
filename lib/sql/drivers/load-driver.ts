/**
 * Loads a database's driver, which only those have installed who use that database.
 * @throws Error that says what to install
 */
export async function loadDriver<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const isMissing = cause instanceof Error && cause.message.includes(`'${name}'`);
    throw new Error(
      isMissing
        ? `this database needs the package "${name}": run \`npm install ${name}\``
        : `the package "${name}" cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** @internal Bounds of a pool of connections. */
export interface PoolSettings {
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** How much longer than the server this side waits for an answer, in milliseconds: a server that hangs cancels nothing. */
export const GRACE_MS = 1_000;
