export { SecurityMetrics, type SecurityMetricsOptions } from './security-metrics.js';
export { SecurityMetricsModule } from './security-metrics.module.js';
