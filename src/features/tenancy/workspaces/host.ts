const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/;

/**
 * Host and port of a workspace URL, however it is written: `https://Acme.example.com/` is `acme.example.com`. The
 * usual ports are left out. Undefined where it is none.
 */
export function hostOf(workspaceUrl: string): string | undefined {
  const bare = workspaceUrl
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/?#].*$/s, '')
    .replace(/:(?:80|443)$/, '');
  return HOST.test(bare) ? bare : undefined;
}
