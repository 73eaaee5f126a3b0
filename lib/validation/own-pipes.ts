import { PIPES_METADATA } from '@nestjs/common/constants.js';

import type { RouteMetadata } from '../policy/metadata.js';
import { ArrayOfPipe } from './array-of.js';
import { PagePipe } from './page/page.pipe.js';
import { routeArguments } from './route-arguments.js';
import { OneOfPipe } from './union/one-of.js';

/** The pipes of a handler that `arrayOf()`, `oneOf()` and `@PageQuery()` have made. */
export function ownPipes(
  { controller, handler }: RouteMetadata,
  methodName: string,
): (ArrayOfPipe | OneOfPipe | PagePipe)[] {
  const ofHandler = (Reflect.getMetadata(PIPES_METADATA, handler) ?? []) as unknown[];
  return routeArguments(controller, methodName)
    .flatMap(([, { pipes = [] }]) => pipes)
    .concat(ofHandler)
    .filter((pipe) => pipe instanceof ArrayOfPipe || pipe instanceof OneOfPipe || pipe instanceof PagePipe);
}
