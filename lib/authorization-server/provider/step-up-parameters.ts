import type * as Oidc from 'oidc-provider';

/**
 * What a client asks of the login (RFC 9470 §4). oidc-provider takes `max_age` and `acr_values` from OpenID Connect clients
 * alone, so they go under names of ours.
 */
export const MAX_AGE = 'login_max_age';
export const ACR_VALUES = 'login_acr_values';
const NAMES = { max_age: MAX_AGE, acr_values: ACR_VALUES } as const;

/** The address of a request with our names in the place of those. */
export function withStepUpNames(url: string): string {
  const query = url.indexOf('?');
  if (query < 0 || !/[?&](?:max_age|acr_values)=/.test(url)) return url;
  const renamed = [...new URLSearchParams(url.slice(query))].map(([name, value]): [string, string] => [
    Object.hasOwn(NAMES, name) ? NAMES[name as keyof typeof NAMES] : name,
    value,
  ]);
  return `${url.slice(0, query)}?${new URLSearchParams(renamed).toString()}`;
}

interface StepUpContext {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly session: { readonly accountId?: string; readonly acr?: string; past(seconds: number): boolean };
  readonly result?: { readonly login?: unknown };
}

/** Asks for a login that is as fresh and as strong as the client wants it. */
export function stepUpCheck({ interactionPolicy, errors }: typeof Oidc): object {
  const { Check } = interactionPolicy;
  return new Check(
    'login_requirements',
    'a more recent or a stronger login is needed',
    'login_required',
    (ctx: Oidc.KoaContextWithOIDC) => {
      const { params, session, result } = ctx.oidc as unknown as StepUpContext;
      const { [MAX_AGE]: maxAge, [ACR_VALUES]: acrValues } = params;
      if (session.accountId === undefined) return Check.NO_NEED_TO_PROMPT;
      if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge))
        throw new errors.InvalidRequest('max_age is no number of seconds');
      const weak = acrValues !== undefined && !acrValues.split(' ').includes(session.acr ?? '');
      if (result?.login) {
        // The new login is as fresh as can be; one that is not strong enough cannot be made so by asking again.
        if (weak)
          throw new errors.CustomOIDCProviderError(
            'unmet_authentication_requirements',
            'the login is not strong enough',
          );
        return Check.NO_NEED_TO_PROMPT;
      }
      const stale = maxAge !== undefined && session.past(Number(maxAge));
      return stale || weak ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    },
  );
}
