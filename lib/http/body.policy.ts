import { parseByteSize } from '../configuration/units.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { BodyDeclaration } from './body-limit.decorator.js';
import { MAX_BODY_BYTES } from './body.options.js';

const JSON_ONLY: readonly string[] = Object.freeze(['application/json']);
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/;

/**
 * Compiles `@BodyLimit()` and the application's default.
 *
 * @param declares tells whether the handler takes a body
 * @param membersOf tells which members of it the handler takes, if it takes them one by one
 */
export function bodyPart(
  defaultMaxBytes: number,
  declares: (metadata: RouteMetadata, methodName: string) => boolean,
  membersOf: (metadata: RouteMetadata, methodName: string) => ReadonlySet<string> | undefined,
): PolicyPart<'body'> {
  return ({ metadata, methodName, where }, problems) => {
    const declaration = metadata.nearest<BodyDeclaration>('body');
    const maxBytes = declaration ? parseByteSize(declaration.size) : defaultMaxBytes;
    if (maxBytes === undefined || maxBytes < 1 || maxBytes > MAX_BODY_BYTES) {
      problems.add(
        'policy.body-limit.size',
        where,
        '@BodyLimit() is not a size of 1 byte to 100 MiB',
        "write bytes, or text such as '1mb'",
      );
    }
    const mediaTypes = declaration?.types ?? JSON_ONLY;
    if (mediaTypes.length === 0 || mediaTypes.some((type) => !MEDIA_TYPE.test(type))) {
      problems.add(
        'policy.body-limit.types',
        where,
        '@BodyLimit() names something that is no media type',
        "write lower-case types such as 'application/json'",
      );
    }
    const members = membersOf(metadata, methodName);
    return Object.freeze({
      declared: declares(metadata, methodName),
      ...(members && { members }),
      maxBytes: maxBytes ?? defaultMaxBytes,
      mediaTypes: Object.freeze([...mediaTypes]),
      ...(declaration?.raw === true && { raw: true }),
    });
  };
}
