import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { parseDuration } from '../../configuration/units.js';

/** Options as they come from outside: nothing about them is taken for granted. */
export type RawOptions = Readonly<Record<string, unknown>>;

export function isRawOptions(value: unknown): value is RawOptions {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reports wrong values of one object of options; each method returns the value or what stands for it. */
export class OptionChecks {
  constructor(
    readonly options: RawOptions,
    /** Begins every code, such as `jwt`. */
    readonly prefix: string,
    /** Path of the object, such as `jwt[1]`. */
    readonly where: string,
    readonly problems: ConfigurationProblems,
  ) {}

  report(name: string, fault: string, problem: string, fix: string): void {
    this.problems.add(`${this.prefix}.${name}.${fault}`, `${this.where}.${name}`, problem, fix);
  }

  onlyKnown(names: readonly string[]): void {
    for (const name of Object.keys(this.options)) {
      if (!names.includes(name)) {
        this.problems.add(
          `${this.prefix}.option.unknown`,
          `${this.where}.${name}`,
          'is no option',
          `use one of ${names.join(', ')}`,
        );
      }
    }
  }

  /** Milliseconds. */
  duration(name: string, byDefault: number, min: number, max: number, bounds: string): number {
    const value = this.options[name];
    if (value === undefined) return byDefault;
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= min && ms <= max) return ms;
    this.report(
      name,
      'bounds',
      `is no duration from ${bounds}`,
      'write milliseconds, or a text such as "30s"',
    );
    return byDefault;
  }

  flag(name: string): boolean {
    const value = this.options[name];
    if (value !== undefined && typeof value !== 'boolean')
      this.report(name, 'type', 'is neither true nor false', 'use one of the two');
    return value === true;
  }

  claimName(name: string): string | undefined {
    const value = this.options[name];
    if (value === undefined || isClaimName(value)) return value;
    this.report(name, 'type', 'is no name of a claim', 'write the name of a top-level claim');
    return undefined;
  }

  /** A list of texts, or `undefined` if there is none. */
  names(name: string): readonly string[] | undefined {
    const value = this.options[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every(isText)) return [...value];
    this.report(name, 'type', 'is no list of texts', 'write an array of names, or leave it out for any');
    return undefined;
  }

  claimNames(name: string): readonly string[] {
    const value = this.options[name];
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(isClaimName)) return [...value];
    this.report(name, 'type', 'is no list of claim names', 'write an array of names of top-level claims');
    return [];
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function isClaimName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256 && value !== '__proto__';
}

/** Text that an identifier such as `iss` or `aud` can be: printable ASCII, no wildcard. */
export function isIdentifier(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= 512 && /^[\x21-\x7e]+$/.test(value) && !value.includes('*')
  );
}

/** An https URL without fragment and user; http is good enough for this machine itself. */
export function isSecureUrl(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, hostname, hash, username, password } = new URL(value);
  if (hash || username || password || value.includes('#')) return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** A URL of this very machine, by name or address. */
export function isLoopbackUrl(value: string): boolean {
  return URL.canParse(value) && isLoopback(new URL(value).hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
