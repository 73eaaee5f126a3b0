import { SecurityEvents, type SecurityEvent } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { rawRequest } from '../support/raw-http.js';
import { startSecured } from '../support/secured-app.js';
import { SELF_SIGNED } from '../support/self-signed.js';

const BROKEN = 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n';

afterEach(closeApps);

describe('bytes that are no request', () => {
  it.each(ADAPTERS)('R-HP-12 are one event each, on %s', async (adapter) => {
    const { app, port } = await startSecured(adapter, {}, {});
    const events: SecurityEvent[] = [];
    app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    const response = await rawRequest(port, BROKEN);
    expect(response.status).toBe(400);
    expect(response.header('strict-transport-security')).toBeUndefined();
    expect(events).toMatchObject([
      { type: 'request.malformed', code: 'MALFORMED_REQUEST', address: '127.0.0.1' },
    ]);
    expect(JSON.stringify(events)).not.toContain('broken');
  });

  it('R-HP-12 R-SH-02 get the headers of secure connections over TLS', async () => {
    const { port } = await startSecured('express', {}, {}, { httpsOptions: SELF_SIGNED });
    const response = await rawRequest(port, BROKEN, { tls: { rejectUnauthorized: false } });
    expect(response.status).toBe(400);
    expect(response.header('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
  });
});
