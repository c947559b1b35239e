import type { LookupFunction, Socket } from 'node:net';
import type { z } from 'zod';
import type { OAuth2Grant } from './oauth2.js';

/** The part of pino's logger a connector sees. Secrets of the connector are redacted by the host. */
export interface ConnectorLog {
  info(message: string, fields?: Record<string, string | number | boolean>): void;
  warn(message: string, fields?: Record<string, string | number | boolean>): void;
}

/** One request of a connector. The host adds timeout, egress guard, redirects and abort. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** Sent as it is. */
  body?: string | Uint8Array;
  /** Milliseconds until the request counts as `retryable` with code TIMEOUT. Default 30,000. */
  timeoutMs?: number;
  /** Longest answer that is read, in bytes, where a partner repeats what it is sent. Default 1 MiB, at most 16. */
  maxResponseBytes?: number;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  text: string;
  /** Milliseconds of a Retry-After header (seconds or HTTP date), if there was one. */
  retryAfterMs?: number;
  /** Parsed body; throws ConnectorError `retryable` MALFORMED_RESPONSE where it is no JSON. */
  json(): unknown;
}

/** The only way out of the hub. Throws ConnectorError for everything that is not an HTTP answer. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** Where {@link Context.connect} connects to. */
export interface ConnectTarget {
  /** Name or address of the host, without a scheme. */
  host: string;
  port: number;
  /** Milliseconds until it counts as `retryable` with code TIMEOUT. Default 10,000. */
  timeoutMs?: number;
}

/** Where the `file` output writes: a folder or an S3 prefix, opened by the host. */
export interface Destination {
  /** Writes `key` whole or not at all; a second write of the same key replaces it. */
  put(key: string, body: AsyncIterable<Uint8Array> | Uint8Array | string): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  list(prefix: string): Promise<string[]>;
  delete(key: string): Promise<void>;
  /** Writes `key` as the parts one after the other, streaming; whole or not at all, as `put` does. */
  concat(key: string, parts: readonly string[]): Promise<void>;
}

/** How to reach a destination that is no folder. */
export interface DestinationOptions {
  /** Region of the bucket. */
  region?: string;
  /** Address of an S3-compatible server; AWS where absent. */
  endpoint?: string;
  /** Keys to write with; the host's own role where absent. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** What the host hands to every call of a connector. `C` settings, `K` credentials, both already parsed. */
export interface Context<C, K> {
  settings: C;
  credentials: K;
  http: HttpClient;
  /** Opens a folder (absolute path) or `s3://bucket/prefix` to write to; the host guards which are allowed. */
  destination(url: string, options?: DestinationOptions): Destination;
  /**
   * A TCP connection for protocols that are not HTTP, to hosts within the egress rules only; closed when
   * the call ends by its signal. Throws the ConnectorErrors of {@link HttpClient}.
   */
  connect(target: ConnectTarget): Promise<Socket>;
  /**
   * Resolves host names within the egress rules. A vendor's library that opens connections by itself must
   * be given it: the check of {@link ConnectorBase.egressUrls} alone would trust a name to keep its address.
   */
  lookup?: LookupFunction;
  /** Access token of a connector with {@link ConnectorBase.oauth2}; use `accessTokenOf(ctx)`. */
  accessToken?: (refused?: string) => Promise<string>;
  log: ConnectorLog;
  /** Aborts when the hub shuts down or the call timed out. */
  signal: AbortSignal;
  now(): Date;
}

/** What every connector says of itself. */
export interface ConnectorBase<C extends z.ZodObject, K extends z.ZodObject> {
  /** Kebab-case, unique, the name of the plugin's folder. */
  id: string;
  /** Shown to people. */
  name: string;
  description: string;
  /** Semver of the plugin. */
  version: string;
  /** Zod schema of the settings; secrets do not belong here. */
  settings: C;
  /** Zod schema of the credentials; encrypted at rest, every field marked with `secret()`. */
  credentials: K;
  /** "Does this configuration work?" Resolves, or throws a ConnectorError that says what to mend. */
  check(ctx: Context<z.output<C>, z.output<K>>): Promise<void>;
  /**
   * Addresses that a vendor's library will speak to past `Context.http`. The host holds them against its
   * egress rules before every call; requests through `Context.http` are guarded without being named here.
   */
  egressUrls?(settings: z.output<C>): readonly string[];
  /** What access tokens are asked for with, where the partner wants such. */
  oauth2?(settings: z.output<C>, credentials: z.output<K>): OAuth2Grant;
  /** Folders (absolute) the connector reads by itself. The host refuses those outside the allowed roots. */
  folders?(settings: z.output<C>): readonly string[];
}
