import type { ReportHeaderProblem } from './header-problem.js';

/** Features that stay on, each for these origins: `self`, `*`, or an https origin. */
export type PermissionsPolicyOptions = Readonly<Record<string, readonly string[]>>;

/** Everything that a page could ask a person or a machine for; each name costs bytes on every response. */
const DISABLED_FEATURES = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'usb',
  'xr-spatial-tracking',
] as const;

const FEATURE = /^[a-z][a-z-]{0,63}$/;
const ORIGIN = /^https:\/\/(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/i;

/** The header's text: every feature off that is not named (R-SH-01, R-SH-08). */
export function compilePermissions(allowed: PermissionsPolicyOptions, report: ReportHeaderProblem): string {
  const bad = (problem: string) =>
    report(
      'permissionsPolicy',
      problem,
      "write features such as { camera: ['self'] }, with 'self', '*' or https origins",
    );
  if (typeof allowed !== 'object' || allowed === null || Array.isArray(allowed)) {
    bad('is no object of features');
    return '';
  }
  const features = new Set<string>([...DISABLED_FEATURES, ...Object.keys(allowed)]);
  return [...features]
    .map((feature) => {
      if (!FEATURE.test(feature)) bad('names something that is no feature');
      const origins: unknown = Object.hasOwn(allowed, feature) ? allowed[feature] : [];
      if (!Array.isArray(origins) || !origins.every(isAllowed)) {
        bad('allows a feature to something that is no origin');
        return `${feature}=()`;
      }
      return `${feature}=(${origins.map((one) => (one === 'self' || one === '*' ? one : `"${one}"`)).join(' ')})`;
    })
    .join(', ');
}

function isAllowed(origin: unknown): origin is string {
  return origin === 'self' || origin === '*' || (typeof origin === 'string' && ORIGIN.test(origin));
}
