const MAX_LENGTH = 100;

/** What lists of sessions call a device that the application has no name for: its `User-Agent`, shortened to what can be shown. */
export function deviceLabel(userAgent: string | undefined): string | undefined {
  const visible = userAgent?.replaceAll(/[^\x20-\x7e]+/g, '').trim();
  return visible ? visible.slice(0, MAX_LENGTH) : undefined;
}
