import type { SecurityEventContext } from '../events/security-event.js';
import type { RequestState } from './request-state.js';

/** What events say about a request: never its URL, whose path and query may hold secrets. */
export function eventContextOf(state: RequestState): SecurityEventContext {
  const principal = state.principal;
  return {
    method: state.request.method ?? '',
    route: state.policy?.id,
    address: state.address,
    principal: principal && `${principal.type}:${principal.id}`,
  };
}
