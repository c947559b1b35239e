import { createHash } from 'node:crypto';

/** What a file belongs to, as far as its name says it. */
export interface FileFacts {
  /** The connection's own name for the audience, else the audience's. */
  audience: string;
  operation: 'add' | 'remove' | 'members';
  fromVersion: number;
  toVersion: number;
  /** Only of changes. */
  batchId?: string;
  /** When the delivery began. */
  at: Date;
}

/** File names on a partner's server: 250 characters is the least of what is known, for LiveRamp. */
const MAX_NAME_LENGTH = 240;
const MAX_AUDIENCE_LENGTH = 100;
const PLACEHOLDER = /\{([^{}]*)\}/g;
const PLACEHOLDERS = new Set(['audience', 'operation', 'from', 'version', 'batch', 'date', 'time']);

/** Names unless the settings give a template. */
export const DEFAULT_TEMPLATES = {
  changes: '{audience}_v{from}-v{version}_{operation}_{batch}',
  members: '{audience}',
} as const;

/** What is wrong with a template; undefined where nothing is. */
export function templateProblem(template: string, content: 'changes' | 'members'): string | undefined {
  const names = [...template.matchAll(PLACEHOLDER)].map(([, name]) => String(name));
  const unknown = names.find((name) => !PLACEHOLDERS.has(name));
  if (unknown !== undefined) return `{${unknown}} is none of {${[...PLACEHOLDERS].join('}, {')}}`;
  const plain = template.replaceAll(PLACEHOLDER, 'x');
  if (!/^[A-Za-z0-9._/-]+$/.test(plain)) return 'may hold letters, digits, . _ - / and placeholders';
  if (plain.split('/').some((part) => !/^[A-Za-z0-9]/.test(part) || part.endsWith('.'))) {
    return 'every part between slashes must begin with a letter, digit or placeholder, and not end with a dot';
  }
  if (!names.includes('audience')) return 'must hold {audience}, or two audiences would share a file';
  if (content === 'changes' && !names.includes('batch')) {
    return 'must hold {batch}, or one batch of changes would overwrite another';
  }
  if (content === 'members' && (names.includes('batch') || names.includes('from'))) {
    return 'must not hold {batch} or {from}: the file holds everybody';
  }
  return undefined;
}

/** True where the name depends on when or with which version the file was made: the next one is another file. */
export function namesEachVersion(template: string): boolean {
  return /\{(?:date|time|version)\}/.test(template);
}

/** The path of a file under the directory of the settings, without extension. The same facts give the same path. */
export function pathOf(template: string, facts: FileFacts): string {
  const [date = '', time = ''] = facts.at.toISOString().split('T');
  const values: Record<string, string> = {
    audience: plainName(facts.audience),
    operation: facts.operation,
    from: String(facts.fromVersion),
    version: String(facts.toVersion),
    batch: facts.batchId ?? '',
    date,
    time: time.slice(0, 8).replaceAll(':', ''),
  };
  return template
    .replaceAll(PLACEHOLDER, (_, name: string) => values[name] ?? '')
    .split('/')
    .map((part) => shortened(part))
    .join('/');
}

/**
 * A text in the letters that every partner's server takes. Where that changed it, a digest tells it from
 * other texts that come out the same.
 */
export function plainName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, MAX_AUDIENCE_LENGTH);
  // A text that looks as if it ended in a digest gets one of its own, or it could be taken for another.
  if (plain === text && plain !== '' && !/-[0-9a-f]{8}$/.test(plain)) return plain;
  return `${plain === '' ? 'audience' : plain}-${digestOf(text)}`;
}

function shortened(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  return `${name.slice(0, MAX_NAME_LENGTH - 9)}-${digestOf(name)}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
