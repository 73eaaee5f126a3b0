export { SessionsModule } from './sessions.module.js';
export { CSRF_HEADER, REFRESH_COOKIE } from './refresh-cookie.js';
export { PasswordCredentialsDto } from './session-input.dto.js';
export type {
  Authenticate,
  AuthenticatedSubject,
  LoginAttempt,
  SessionRoutesAsyncOptions,
  SessionRoutesOptions,
} from './sessions.options.js';
