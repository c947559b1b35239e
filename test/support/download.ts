/** What a download answered, as bytes. */
export interface Download {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Fetches `path` of the hub at `baseUrl`. */
export async function download(
  baseUrl: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Download> {
  const response = await fetch(`${baseUrl}${path}`, { headers });
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  };
}

/** Path and query of a link: it leads to the configured public address, the hub of a spec listens elsewhere. */
export function localPath(link: string | null): string {
  const { pathname, search } = new URL(link ?? '');
  return pathname + search;
}
