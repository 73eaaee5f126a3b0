/** Scopes with what each allows, in words for the people who are asked: "See the list of users". */
export type ScopeDescriptions = Readonly<Record<string, string>>;

/**
 * Scopes, described once: for the consent page of the authorization server, and for the resource server, where every scope
 * that a route asks for must then be one of them (`oauth2.scopes`).
 *
 * @example
 * export const SCOPES = defineScopes({ 'users:read': 'See the list of users' });
 * AuthorizationServerModule.forRoot({ scopes: SCOPES, … });
 * SecurityModule.forRoot({ oauth2: { scopes: SCOPES, … } });
 */
export const defineScopes = <Descriptions extends ScopeDescriptions>(
  descriptions: Descriptions,
): Readonly<Descriptions> => Object.freeze({ ...descriptions });
