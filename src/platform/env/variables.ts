import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { LOG_LEVELS, ROLES, type ClickHouseAddress, type Role } from './config.js';
import { byteSize, flag, key256, oneOf, url, variable, wholeNumber } from './values.js';

const text = () => z.string();
const day = 86_400_000;

/** Every variable the hub reads, with the text that stands for an absent one where there is a default. */
export const variables = z.object({
  HUB_DATA: variable('the path of a folder', (path) => resolve(path)).prefault('./data'),
  PORT: wholeNumber(0, 65_535).prefault('3000'),
  HUB_HOST: text().prefault('127.0.0.1'),
  HUB_ROLES: variable(`a comma list of ${ROLES.join(', ')}`, parseRoles).prefault(ROLES.join(',')),
  DATABASE_URL: url('postgresql://user:password@host:port/database', ['postgresql:', 'postgres:']).optional(),
  CLICKHOUSE_URL: variable('http(s)://user:password@host:port/database', parseClickHouse).optional(),
  REDIS_URL: url('redis://host:port or rediss://host:port', ['redis:', 'rediss:']).optional(),
  HUB_REDIS_PREFIX: variable('1 to 64 letters, digits, `-`, `_` or `:`', (prefix) =>
    /^[\w:-]{1,64}$/.test(prefix) ? prefix : undefined,
  ).prefault('hub'),
  HUB_FILES: variable('the path of a folder, or s3://bucket/prefix', parseFiles).optional(),
  HUB_FILES_ENDPOINT: url('an http(s) URL', ['http:', 'https:']).optional(),
  HUB_FILES_REGION: text().optional(),
  HUB_FILES_ACCESS_KEY_ID: text().optional(),
  HUB_FILES_SECRET: text().optional(),
  HUB_DEMO: flag().prefault('true'),
  HUB_ADMIN_KEY: variable('at least 24 characters without spaces', parseAdminKey).optional(),
  HUB_SECRET_KEY: key256().optional(),
  HUB_PUBLIC_URL: url('an http(s) URL', ['http:', 'https:']).optional(),
  SMTP_URL: url('smtp://user:password@host:port or smtps://…', ['smtp:', 'smtps:']).optional(),
  HUB_MAIL_FROM: variable('a mail address', (from) => (/\S@\S/.test(from) ? from : undefined)).prefault(
    'Audience hub <hub@localhost>',
  ),
  HUB_MAIL_GATHER_MS: wholeNumber(0, day).prefault('900000'),
  HUB_ALLOW_PRIVATE_EGRESS: flag().prefault('false'),
  HUB_PLUGINS: text().optional(),
  HUB_LEASE_MS: wholeNumber(1000, day).prefault('60000'),
  HUB_SWEEP_MS: wholeNumber(100, day).prefault('60000'),
  HUB_LOG: oneOf(LOG_LEVELS).prefault('info'),
  HUB_LOG_FORMAT: oneOf(['json', 'pretty']).optional(),
  HUB_IMPORT_CONCURRENCY: wholeNumber(1, 64).prefault('1'),
  HUB_DELIVERY_CONCURRENCY: wholeNumber(1, 1024).prefault('4'),
  HUB_WAREHOUSE_MEMORY: byteSize(256 * 2 ** 20).prefault('2GiB'),
  HUB_EXPORT_LINK_HOURS: wholeNumber(1, 24 * 365).prefault('72'),
  HUB_AUDIT_DAYS: wholeNumber(1, 36_500).optional(),
  HUB_OUTCOMES_DAYS: wholeNumber(1, 36_500).prefault('90'),
  HUB_DROP_ROOTS: variable('a comma list of absolute paths', parseRoots).optional(),
});

/** Variables whose value is never repeated in an error. URLs are here because they may hold a password. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set([
  'DATABASE_URL',
  'CLICKHOUSE_URL',
  'REDIS_URL',
  'SMTP_URL',
  'HUB_FILES_ENDPOINT',
  'HUB_FILES_ACCESS_KEY_ID',
  'HUB_FILES_SECRET',
  'HUB_ADMIN_KEY',
  'HUB_SECRET_KEY',
  'HUB_PUBLIC_URL',
]);

/** What {@link variables} gives. */
export type Variables = z.output<typeof variables>;

/** HUB_FILES as it stands, before endpoint, region and keys are added. */
export type FilesText = { kind: 'folder'; path: string } | { kind: 's3'; bucket: string; prefix: string };

function parseRoles(list: string): ReadonlySet<Role> | undefined {
  const words = commaList(list.toLowerCase());
  const roles = ROLES.filter((role) => words.includes(role));
  const allKnown = words.every((word) => ROLES.some((role) => role === word));
  return allKnown && roles.length > 0 ? new Set(roles) : undefined;
}

function parseClickHouse(address: string): ClickHouseAddress | undefined {
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) return undefined;
  const database = decodeURIComponent(parsed.pathname.replaceAll(/^\/|\/$/g, ''));
  if (database.includes('/')) return undefined;
  return {
    url: parsed.origin,
    username: decodeURIComponent(parsed.username) || 'default',
    password: decodeURIComponent(parsed.password),
    database: database || 'default',
  };
}

function parseFiles(location: string): FilesText | undefined {
  if (!location.includes('://')) return { kind: 'folder', path: resolve(location) };
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location);
  if (!match?.[1]) return undefined;
  return { kind: 's3', bucket: match[1], prefix: (match[2] ?? '').replaceAll(/^\/+|\/+$/g, '') };
}

function parseAdminKey(key: string): string | undefined {
  return key.length >= 24 && !/\s/.test(key) ? key : undefined;
}

function parseRoots(list: string): readonly string[] | undefined {
  const roots = commaList(list);
  return roots.length > 0 && roots.every((root) => isAbsolute(root))
    ? roots.map((root) => resolve(root))
    : undefined;
}

function commaList(list: string): string[] {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
