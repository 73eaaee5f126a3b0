export { ApiKeysModule } from './api-keys.module.js';
export type { ApiKeyReportOptions, ApiKeyRoutesOptions, GenuineReport } from './api-key-routes.options.js';
export { REPORT_KEYS_SCOPE } from './api-key-routes.options.js';
