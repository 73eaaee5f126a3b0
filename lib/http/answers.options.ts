import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** How answers are written. */
export interface AnswerOptions {
  /**
   * `true` by default: JSON answers have `<`, `>`, `&`, U+2028 and U+2029 as `\u` escapes, which every JSON parser reads as the same
   * text, so that an answer which ends up in a page cannot become markup or script (R-IV-24). Answers of other types, buffers and
   * streams are not touched.
   */
  readonly escapeJson?: boolean;
}

const KNOWN: readonly string[] = ['escapeJson'] satisfies (keyof AnswerOptions)[];

/** Whether JSON answers are escaped; problems are reported, never thrown. */
export function compileEscapeJson(
  options: AnswerOptions | undefined,
  problems: ConfigurationProblems,
): boolean {
  if (options === undefined) return true;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add('answers.options', 'answers', 'is no object', 'give { escapeJson }, or leave it out');
    return true;
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      problems.add('answers.unknown', `answers.${name}`, 'is not an option', `use ${KNOWN.join(', ')}`);
  }
  const { escapeJson = true }: { escapeJson?: unknown } = options;
  if (typeof escapeJson === 'boolean') return escapeJson;
  problems.add(
    'answers.escape-json',
    'answers.escapeJson',
    'is neither true nor false',
    'leave it out for true',
  );
  return true;
}
