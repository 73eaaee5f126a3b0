import type * as Oidc from 'oidc-provider';

type Context = Oidc.KoaContextWithOIDC;

/**
 * Secrets come in the header. One in the body is not looked at, but beside other credentials it is a second method (RFC 6749
 * §2.3, R-AS-09).
 */
export function assertOneSecret({ errors }: typeof Oidc, { oidc }: Context): void {
  const { body } = oidc as unknown as { body?: Readonly<Record<string, unknown>> };
  if (body?.['client_secret'] !== undefined)
    throw new errors.InvalidRequest('client authentication must only be provided using one mechanism');
}

/** Scripts may read what is answered to a client whose origins include theirs; where there is no client, nobody's (R-AS-22). */
export function keepOriginsApart(ctx: Context): void {
  const { client } = ((ctx.oidc as Context['oidc'] | undefined) ?? {}) as { client?: Oidc.Client };
  const allowed = client?.['allowed_origins'] as readonly string[] | undefined;
  if (allowed?.includes(ctx.get('Origin'))) return;
  ctx.remove('Access-Control-Allow-Origin');
  ctx.remove('Access-Control-Expose-Headers');
}
