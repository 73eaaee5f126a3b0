export { defineScopes, type ScopeDescriptions } from '../authorization/scope-descriptions.js';
export { ApplicationsService, type AuthorizedApplication } from './applications/applications.service.js';
export { AuthorizationServer } from './authorization-server.js';
export { AuthorizationServerModule, type AuthorizationServerRoutes } from './authorization-server.module.js';
export type {
  Account,
  AuthorizationLifetimes,
  AuthorizationServerAsyncOptions,
  AuthorizationServerOptions,
  LoginInput,
  ResourceOptions,
} from './authorization-server.options.js';
export type {
  ClientChanges,
  ClientInfo,
  ClientRegistration,
  GrantType,
} from './clients/client-registration.js';
export { ClientService, type IssuedClient } from './clients/client.service.js';
export { Html, html } from './pages/html.js';
export type {
  ApplicationsView,
  ApplicationView,
  AuthorizationPages,
  ConsentView,
  ErrorView,
  FormView,
  LoginView,
  PageTheme,
  PageView,
  PermissionView,
} from './pages/page-views.js';
export { standardPages } from './pages/standard-pages.js';
export type { AuthorizationRecord, AuthorizationStore, FoundRecord } from './records/authorization-store.js';
export { MemoryAuthorizationStore } from './records/memory-authorization-store.js';
