import type { RequestState } from '../http/request-state.js';

/** What is known of a request for GraphQL beside its state. */
export interface GraphqlSession {
  /** Whether all its operations have been charged; persisted documents are not seen before they run. */
  readonly charged: boolean;
}

const SESSIONS = new WeakMap<RequestState, GraphqlSession>();

/** Notes that a request has passed the gate. */
export function openSession(state: RequestState, session: GraphqlSession): void {
  SESSIONS.set(state, session);
}

/** Undefined for a request that has not: its resolvers run for nobody. */
export function sessionOf(state: RequestState): GraphqlSession | undefined {
  return SESSIONS.get(state);
}
