/** Roles a process can take. One process takes all of them unless HUB_ROLES says otherwise. */
export const ROLES = ['api', 'worker', 'scheduler'] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Levels of the log, quietest last. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A ClickHouse server, taken apart from CLICKHOUSE_URL. */
export interface ClickHouseAddress {
  /** Origin without user, password and path. */
  url: string;
  username: string;
  password: string;
  database: string;
}

/** Where spool, artifacts and exports are kept. */
export type FilesLocation =
  | { kind: 'folder'; path: string }
  | {
      kind: 's3';
      bucket: string;
      /** Without slashes at its ends; empty for the whole bucket. */
      prefix: string;
      endpoint?: string;
      region?: string;
      /** Absent: the SDK's own chain (role, profile, environment). */
      credentials?: { accessKeyId: string; secretAccessKey: string };
    };

/** The whole configuration of a process; made by `readConfig`, frozen. */
export interface Config {
  /** Absolute path of the data directory. */
  dataDir: string;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Base of links in mails and in the log, without slash at its end. */
  publicUrl: string;
  roles: ReadonlySet<Role>;
  /** Absent: the embedded PGlite in the data directory. */
  databaseUrl?: string;
  /** Absent: the embedded chDB in the data directory. */
  clickHouse?: ClickHouseAddress;
  /** Absent: the in-process queue. */
  redisUrl?: string;
  /** Start of every key in Redis, so that several hubs can share one. */
  redisPrefix: string;
  files: FilesLocation;
  demo: boolean;
  adminKey?: string;
  /** 32 bytes. Absent: the key file in the data directory. */
  secretKey?: Buffer;
  smtpUrl?: string;
  mailFrom: string;
  /** After a mail, more of the same kind is gathered for so long. 0: every notice is a mail of its own. */
  mailGatherMs: number;
  allowPrivateEgress: boolean;
  /** Comma list of packages and paths, as given. */
  plugins?: string;
  leaseMs: number;
  sweepMs: number;
  log: { level: LogLevel; format: 'json' | 'pretty' };
  importConcurrency: number;
  deliveryConcurrency: number;
  warehouseMemoryBytes: number;
  exportLinkHours: number;
  /** Absent: the audit log is kept for ever. */
  auditDays?: number;
  /** Outcomes by person are kept so long after the end of their delivery. */
  outcomesDays: number;
  /** Absolute folders that drops and file destinations may use; absent: any. */
  dropRoots?: readonly string[];
}

/** Everything that is wrong with the environment, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  /** @param problems one line each: the variable, what was expected, what was there (secrets never). */
  constructor(readonly problems: readonly string[]) {
    super(['The configuration cannot be used:', ...problems.map((line) => `  - ${line}`)].join('\n'));
  }
}
