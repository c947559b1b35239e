/** What a check of `hub doctor` found. */
export interface Finding {
  /** What was looked at: `Node`, `database`, … */
  name: string;
  state: 'ok' | 'warning' | 'failed';
  /** What was found. Never a secret: URLs are told without user and password. */
  found: string;
  /** What to do about it; absent where all is well. */
  fix?: string;
}

export function ok(name: string, found: string): Finding {
  return { name, state: 'ok', found };
}

export function warning(name: string, found: string, fix: string): Finding {
  return { name, state: 'warning', found, fix };
}

export function failed(name: string, found: string, fix: string): Finding {
  return { name, state: 'failed', found, fix };
}

/** A URL without what may be secret in it. */
export function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** Code or message of an error; messages of drivers may hold the URL they were given, so codes come first. */
export function reasonOf(error: unknown): string {
  const { code, cause, message } = error as { code?: unknown; cause?: { code?: unknown }; message?: string };
  return String(code ?? cause?.code ?? message ?? error);
}
