import { join } from 'node:path';
import { ConfigError, ROLES, type Config, type FilesLocation } from './config.js';
import { unknownVariables } from './unknown-variables.js';
import { SECRET_VARIABLES, variables, type Variables } from './variables.js';

/**
 * The configuration that `env` describes. An empty variable counts as absent.
 *
 * @throws ConfigError with one line for everything that is wrong.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const known = Object.keys(variables.shape);
  const given = Object.fromEntries(known.map((name) => [name, env[name]?.trim() || undefined]));
  const problems = unknownVariables(env, known);
  const parsed = variables.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) =>
      problemLine(String(issue.path[0]), issue.message, given),
    );
    throw new ConfigError([...lines, ...problems]);
  }
  problems.push(...contradictions(parsed.data));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(toConfig(parsed.data));
}

function problemLine(name: string, expected: string, given: Record<string, string | undefined>): string {
  const got = SECRET_VARIABLES.has(name) ? 'something else (not shown)' : JSON.stringify(given[name]);
  return `${name}: expected ${expected}, got ${got}.`;
}

/** Variables that are fine one by one and make no sense together. */
function contradictions(read: Variables): string[] {
  const problems: string[] = [];
  if (read.HUB_ROLES.size < ROLES.length) {
    const missing = (['DATABASE_URL', 'CLICKHOUSE_URL', 'REDIS_URL', 'HUB_FILES'] as const)
      .filter((name) => read[name] === undefined)
      .join(', ');
    if (missing) {
      const roles = [...read.HUB_ROLES].join(',');
      problems.push(
        `HUB_ROLES: ${roles} is a part of the hub, and the parts meet in shared services: set ${missing} too, or leave HUB_ROLES out.`,
      );
    }
  }
  if ((read.HUB_FILES_ACCESS_KEY_ID === undefined) !== (read.HUB_FILES_SECRET === undefined)) {
    problems.push('HUB_FILES_ACCESS_KEY_ID and HUB_FILES_SECRET: expected both or neither.');
  }
  const s3Only = ['HUB_FILES_ENDPOINT', 'HUB_FILES_REGION', 'HUB_FILES_ACCESS_KEY_ID'] as const;
  if (read.HUB_FILES?.kind !== 's3' && s3Only.some((name) => read[name] !== undefined)) {
    problems.push('HUB_FILES: expected s3://bucket/prefix where an endpoint, a region or keys are given.');
  }
  return problems;
}

function toConfig(read: Variables): Config {
  return {
    dataDir: read.HUB_DATA,
    host: read.HUB_HOST,
    port: read.PORT,
    publicUrl: (read.HUB_PUBLIC_URL?.href ?? `http://localhost:${read.PORT}`).replace(/\/+$/, ''),
    roles: read.HUB_ROLES,
    databaseUrl: read.DATABASE_URL?.href,
    clickHouse: read.CLICKHOUSE_URL,
    redisUrl: read.REDIS_URL?.href,
    redisPrefix: read.HUB_REDIS_PREFIX,
    files: filesLocation(read),
    demo: read.HUB_DEMO,
    adminKey: read.HUB_ADMIN_KEY,
    secretKey: read.HUB_SECRET_KEY,
    smtpUrl: read.SMTP_URL?.href,
    mailFrom: read.HUB_MAIL_FROM,
    mailGatherMs: read.HUB_MAIL_GATHER_MS,
    allowPrivateEgress: read.HUB_ALLOW_PRIVATE_EGRESS,
    plugins: read.HUB_PLUGINS,
    leaseMs: read.HUB_LEASE_MS,
    sweepMs: read.HUB_SWEEP_MS,
    log: {
      level: read.HUB_LOG,
      format: read.HUB_LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    },
    importConcurrency: read.HUB_IMPORT_CONCURRENCY,
    deliveryConcurrency: read.HUB_DELIVERY_CONCURRENCY,
    warehouseMemoryBytes: read.HUB_WAREHOUSE_MEMORY,
    exportLinkHours: read.HUB_EXPORT_LINK_HOURS,
    auditDays: read.HUB_AUDIT_DAYS,
    outcomesDays: read.HUB_OUTCOMES_DAYS,
    dropRoots: read.HUB_DROP_ROOTS,
  };
}

function filesLocation(read: Variables): FilesLocation {
  const files = read.HUB_FILES ?? { kind: 'folder', path: join(read.HUB_DATA, 'files') };
  if (files.kind === 'folder') return files;
  const { HUB_FILES_ACCESS_KEY_ID: accessKeyId, HUB_FILES_SECRET: secretAccessKey } = read;
  return {
    ...files,
    endpoint: read.HUB_FILES_ENDPOINT?.href,
    region: read.HUB_FILES_REGION,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  };
}
