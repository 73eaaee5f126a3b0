import type { InspectorNotification, Runtime, Session, Debugger } from 'node:inspector';

/** Where the engine has the code of a class: lines and columns from 0. */
export interface ScriptLocation {
  /** As the engine names the script: a `file:` URL for a module. */
  readonly url: string;
  /** What the script says of its source map; empty for none. */
  readonly sourceMapUrl: string;
  readonly line: number;
  readonly column: number;
}

/** For the engine's own look at the classes; the time that it takes to begin with grows with the number of scripts. */
const BUDGET_MS = 50;
const KEY = 'nestjs-api-security.located';
const GROUP = 'nestjs-api-security';

type Parsed = Pick<Debugger.ScriptParsedEventDataType, 'url' | 'sourceMapURL'>;
type Ask = <Answer>(method: string, parameters?: object) => Answer;

/**
 * Asks the engine where classes were written, by its inspector: a class does not know its file. The debugger is enabled for that
 * alone, within this call. Where something is in the way (no inspector in this Node, no permission, another context) or takes too
 * long, classes are left out; nothing is thrown.
 */
export function scriptLocations<Class extends object>(
  classes: readonly Class[],
): ReadonlyMap<Class, ScriptLocation> {
  const found = new Map<Class, ScriptLocation>();
  if (classes.length === 0) return found;
  try {
    const inspector = process.getBuiltinModule('node:inspector');
    const session = new inspector.Session();
    session.connect();
    try {
      locate(session, classes, found);
    } finally {
      // Takes the debugger and all handles with it.
      session.disconnect();
    }
  } catch {
    // What has been found is good; the rest goes without.
  }
  return found;
}

function locate<Class extends object>(
  session: Session,
  classes: readonly Class[],
  found: Map<Class, ScriptLocation>,
): void {
  const ask = asker(session);
  const scripts = new Map<string, Parsed>();
  session.on(
    'Debugger.scriptParsed',
    ({ params }: InspectorNotification<Debugger.ScriptParsedEventDataType>) =>
      void scripts.set(params.scriptId, params),
  );
  ask('Debugger.enable');
  try {
    const until = performance.now() + BUDGET_MS;
    for (const [index, handle] of handlesOf(classes, ask)) {
      if (performance.now() > until) break;
      const location = locationOf(handle, scripts, ask);
      if (location) found.set(classes[index]!, location);
    }
  } finally {
    ask('Debugger.disable');
  }
}

/** In the same thread the inspector answers before `post()` returns. */
function asker(session: Session): Ask {
  return <Answer>(method: string, parameters: object = {}) => {
    let answer: unknown;
    let failure: Error | null = null;
    session.post(method, parameters, (error: Error | null, result?: object) => {
      failure = error;
      answer = result;
    });
    if (failure !== null || answer === undefined) throw new Error(`The inspector does not answer ${method}`);
    return answer as Answer;
  };
}

/** The inspector's handle of each class, by its place in the list; the list is put where an expression can reach it, and taken away. */
function handlesOf(classes: readonly object[], ask: Ask): [index: number, handle: string][] {
  const key = Symbol.for(KEY);
  Object.defineProperty(globalThis, key, { value: classes, configurable: true });
  try {
    const { result } = ask<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: `globalThis[Symbol.for('${KEY}')]`,
      objectGroup: GROUP,
    });
    if (result.objectId === undefined) return [];
    return propertiesOf(result.objectId, ask).result.flatMap(({ name, value }): [number, string][] =>
      /^\d+$/.test(name) && value?.objectId !== undefined ? [[Number(name), value.objectId]] : [],
    );
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
}

function propertiesOf(objectId: string, ask: Ask): Runtime.GetPropertiesReturnType {
  return ask('Runtime.getProperties', { objectId, ownProperties: true });
}

function locationOf(
  handle: string,
  scripts: ReadonlyMap<string, Parsed>,
  ask: Ask,
): ScriptLocation | undefined {
  const internal = propertiesOf(handle, ask).internalProperties ?? [];
  const place = internal.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value as
    | Debugger.Location
    | undefined;
  const script = place && scripts.get(place.scriptId);
  if (!script) return undefined;
  const { lineNumber: line, columnNumber: column = 0 } = place;
  return { url: script.url, sourceMapUrl: script.sourceMapURL ?? '', line, column };
}
