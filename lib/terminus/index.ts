export { SecurityHealthIndicator } from './security-health.indicator.js';
