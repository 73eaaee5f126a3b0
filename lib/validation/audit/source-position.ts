import { readFileSync, statSync } from 'node:fs';
import { findSourceMap, SourceMap } from 'node:module';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ScriptLocation } from './script-locations.js';

/** Source maps of whole bundles are not worth the time. */
const MAX_MAP_BYTES = 2_000_000;

/** Source maps that have been read for one report. */
export type SourceMaps = Map<string, SourceMap | undefined>;

/**
 * `src/users/create-user.dto.ts:12`, below the working directory, as far as a source map tells, or else the place in what runs;
 * undefined for what is no file. Nothing is thrown.
 */
export function sourcePosition(location: ScriptLocation, maps: SourceMaps): string | undefined {
  const { url, line, column } = location;
  if (!url.startsWith('file:')) return undefined;
  try {
    const entry = mapOf(location, maps)?.findEntry(line, column);
    if (entry && 'originalSource' in entry && entry.originalSource) {
      const source = new URL(entry.originalSource, url);
      if (source.protocol === 'file:') return `${pathOf(source)}:${entry.originalLine + 1}`;
    }
    return `${pathOf(new URL(url))}:${line + 1}`;
  } catch {
    return undefined;
  }
}

function pathOf(url: URL): string {
  const path = fileURLToPath(url);
  const below = relative(process.cwd(), path);
  return (below.startsWith('..') ? path : below).replaceAll(sep, '/');
}

function mapOf({ url, sourceMapUrl }: ScriptLocation, maps: SourceMaps): SourceMap | undefined {
  if (sourceMapUrl === '') return undefined;
  if (!maps.has(url)) maps.set(url, readMap(url, sourceMapUrl));
  return maps.get(url);
}

/** The one that Node has, if it was told to keep them, or the one that the script names. */
function readMap(url: string, sourceMapUrl: string): SourceMap | undefined {
  try {
    const known = findSourceMap(fileURLToPath(url)) ?? findSourceMap(url);
    if (known) return known;
    const text = textOf(new URL(sourceMapUrl, url));
    return text === undefined ? undefined : new SourceMap(JSON.parse(text) as SourceMap['payload']);
  } catch {
    return undefined;
  }
}

function textOf(map: URL): string | undefined {
  if (map.protocol === 'file:')
    return statSync(map).size > MAX_MAP_BYTES ? undefined : readFileSync(map, 'utf8');
  const comma = map.href.indexOf(',');
  if (map.protocol !== 'data:' || map.href.length > 1.5 * MAX_MAP_BYTES || comma < 0) return undefined;
  const content = map.href.slice(comma + 1);
  return map.href.slice(0, comma).endsWith(';base64')
    ? Buffer.from(content, 'base64').toString('utf8')
    : decodeURIComponent(content);
}
