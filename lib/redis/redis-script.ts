import { createHash } from 'node:crypto';

/** A Lua script that a server runs as one atomic step. On a cluster all of its keys must be in one slot. */
export class RedisScript {
  /** Name by which a server knows it once it has seen it. */
  readonly sha1: string;

  constructor(readonly source: string) {
    this.sha1 = createHash('sha1').update(source).digest('hex');
  }
}
