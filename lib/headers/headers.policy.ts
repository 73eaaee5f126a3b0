import type { PolicyPart } from '../policy/policy-compiler.js';
import { compileHeaderValues, type HeadersOptions } from './headers.options.js';

/** Compiles `@SecurityHeaders()`: the controller's first, the handler's over it. */
export const headersPart: PolicyPart<'headers'> = ({ metadata, where }, problems) => {
  const at = `@SecurityHeaders() on ${where}`;
  const values = new Map([
    ...compileHeaderValues(metadata.ofController<HeadersOptions>('headers') ?? {}, at, problems),
    ...compileHeaderValues(metadata.ofHandler<HeadersOptions>('headers') ?? {}, at, problems),
  ]);
  if (values.delete('Strict-Transport-Security')) {
    problems.add(
      'policy.headers.hsts',
      at,
      'changes HSTS, which holds for a whole host',
      'set headers.strictTransportSecurity for the application',
    );
  }
  return values;
};
