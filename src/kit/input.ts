import type { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import type { ConnectorBase, Context } from './connector.js';

/** Which workspace a file belongs to: the input's own, or the one with this seat id. */
export type WorkspaceRef = { by: 'input' } | { by: 'seat'; seatId: string };

/**
 * Which workspace a pushed file belongs to: the input's own, or one of the organization with this account id
 * (its external id): the one with this seat id, where that is said.
 */
export type AccountRef = { by: 'input' } | { by: 'account'; accountId: string; seatId?: string };

/** A column, by its name in the header, and the field it holds (`email_sha256`); null: none that identifies. */
export interface ColumnMeaning {
  column: string;
  field: string | null;
  /**
   * Of a column of voter ids or NPIs: whose they are (`l2`, `targetsmart`, another name), null: nobody said. Absent in
   * what was noted before ids had data partners.
   */
  partner?: string | null;
}

/** Name of a data partner in settings: `l2`, `targetsmart` or one of one's own. */
export const DATA_PARTNER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/** Data partners of columns whose headers do not say whose ids they hold. */
export interface DataPartners {
  voter_id?: string;
  npi?: string;
}

/** How the rows of a file are to be read. */
export interface FileShape {
  /** `csv`: delimited text. `xlsx`: a workbook, of which the first visible sheet is read. */
  format: 'csv' | 'xlsx';
  /** False: every record is data and `columns` names them. */
  header: boolean;
  /** Names of the columns of a file without header. */
  columns?: readonly string[];
  /**
   * What the sender says of the columns of a file with a header: the field that each holds. Columns that are not
   * named are passed over, however they are called; one that is named and not there fails the file.
   */
  mapping?: readonly ColumnMeaning[];
  /** Whose the voter ids and NPIs are where neither `mapping` nor a header says it; absent: nobody's. */
  dataPartners?: DataPartners;
  /** Of text: UTF-8 only (Repro) or whatever is recognised (IQM). */
  encodings: 'utf-8' | 'detect';
  maxBytes: number;
  maxRows?: number;
}

/** A file an input offers. Inputs hand over FILES, not rows; the host reads them with the engine. */
export interface SourceFile {
  /** Stable identity of the source: the same key is a refresh of the same audience. */
  key: string;
  /** Etag or checksum: same key and revision = nothing new. */
  revision: string;
  workspace: WorkspaceRef;
  audienceName: string;
  sizeBytes: number;
  modifiedAt: Date;
  shape: FileShape;
  /** What the input does with ids that no profile has, unless the input's `onUnknown` says otherwise. */
  onUnknown: 'reject' | 'create';
  /** True: deleting the audience bars this key from making one again. */
  tombstones: boolean;
}

/** A key that looks like a source but is not usable, with the reason. Listed as a failed import. */
export interface RefusedFile {
  key: string;
  revision: string;
  refused: { code: string; message: string };
}

export type ListedFile = SourceFile | RefusedFile;

/** Thrown by `open` where the source changed after it was listed. The host lists it anew. */
export class SourceChangedError extends Error {
  override readonly name = 'SourceChangedError';
}

/** True for a SourceChangedError, also one made by another copy of the kit (see isConnectorError). */
export function isSourceChanged(error: unknown): error is SourceChangedError {
  return isNativeError(error) && error.name === 'SourceChangedError';
}

/** An input that the hub visits every ten minutes and on `POST /inputs/:id/scan`. */
export interface ScheduleTrigger<C, K> {
  type: 'schedule';
  /** Everything there is now, in any order, page by page; memory stays flat whatever the number of keys. */
  list(ctx: Context<C, K>): AsyncIterable<ListedFile>;
  /**
   * As `list`, of what comes behind the key `after`. Only for a source that lists keys in the order of their bytes in
   * UTF-8: a scan that was cut off goes on from there.
   */
  listAfter?(ctx: Context<C, K>, after: string): AsyncIterable<ListedFile>;
  /** How the source tells of single keys, so that they need not wait for the next visit. */
  notices?: Notices<C, K>;
}

/** One message of a source: keys that may have changed. */
export interface Notice {
  /** What {@link Notices.done} gives back. */
  receipt: string;
  /** Undefined where the message cannot be read: it is left where it is. */
  keys: readonly string[] | undefined;
}

/** Messages of a source about single keys, waiting in a queue of the source or sent to the hub. */
export interface Notices<C, K> {
  /** False where the settings name no queue to listen to. */
  isOn(settings: C): boolean;
  /** Waits up to `waitMs` for messages. Nobody else gets the same ones for a while. */
  receive(ctx: Context<C, K>, waitMs: number): Promise<Notice[]>;
  /** Takes messages out of the queue, once the imports of their keys are written down. */
  done(ctx: Context<C, K>, notices: readonly Notice[]): Promise<void>;
  /** Throws a fault `auth` where a message that was sent is not from whom it should be. Compares in constant time. */
  authenticate(ctx: Context<C, K>, head: Pick<WebhookHead, 'headers'>): void;
  /** The keys a message names. Throws a fault `permanent` that says what was expected. */
  keysOf(settings: C, message: unknown): readonly string[];
  /** What the keys hold now, as `list` would say; nothing for one that is gone. */
  look(ctx: Context<C, K>, keys: readonly string[]): AsyncIterable<ListedFile>;
}

/** What a webhook knows of a request before its body was read. Names of headers are in lower case. */
export interface WebhookHead {
  headers: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
}

/** Holds a body against its signature while it streams by; nothing of it is kept. */
export interface BodyVerifier {
  update(chunk: Uint8Array): void;
  /** After the last chunk. Throws a fault `auth` where the body is not the one that was signed. */
  end(): void;
}

/** Whom a request of a webhook is from. */
export interface WebhookIdentity {
  /** Absent where the head alone proves it (a bearer secret). */
  verifier?: BodyVerifier;
  /** Of two requests with the same one the second does nothing: an idempotency key, a nonce, a signature. */
  requestId?: string;
}

/** A request whose body was received, kept aside and verified. */
export interface WebhookRequest extends WebhookHead {
  /** Texts beside the file: fields of a multipart form, or texts of a JSON object. */
  fields: Readonly<Record<string, string>>;
  /** What else came: a file or rows. Rows come as a CSV file with a header too. */
  content: 'file' | 'rows' | 'none';
  /** Of the file, where it had one. */
  fileName?: string;
}

/** A file that was pushed, or is to be fetched, and what becomes of it. */
export interface PushedFile {
  /** Stable identity of the source: the same key is a refresh of the same audience. */
  key: string;
  workspace: AccountRef;
  audienceName: string;
  /** Audiences of a list of their own. */
  segmented?: boolean;
  /** Where it lies, if it was not in the request. The host fetches it within its egress rules. */
  url?: string;
  shape: FileShape;
  onUnknown: 'reject' | 'create';
}

/** An input that is told: the host takes the request's file in and asks what becomes of it. */
export interface WebhookTrigger<C, K> {
  type: 'webhook';
  /** Where it listens: `POST /api/v1/hooks/{path}`. */
  path: string;
  /** Largest body, in bytes. */
  maxBytes(settings: C): number;
  /** Throws a fault `auth` where the request is not from whom it should be. Compares in constant time. */
  authenticate(ctx: Context<C, K>, head: WebhookHead): Promise<WebhookIdentity>;
  /** Throws a fault `permanent` or `config` that says what was expected; the request is answered with it. */
  receive(ctx: Context<C, K>, request: WebhookRequest): Promise<PushedFile>;
}

/** An input whose files come through the hub's own API. */
export interface UploadTrigger {
  type: 'upload';
}

export type InputTrigger<C, K> = ScheduleTrigger<C, K> | WebhookTrigger<C, K> | UploadTrigger;

interface InputBase<C extends z.ZodObject, K extends z.ZodObject> extends ConnectorBase<C, K> {
  kind: 'input';
}

/** An input of files that lie somewhere. */
export interface ScheduledInput<
  C extends z.ZodObject = z.ZodObject,
  K extends z.ZodObject = z.ZodObject,
> extends InputBase<C, K> {
  trigger: ScheduleTrigger<z.output<C>, z.output<K>>;
  /** Streams exactly the listed revision, or throws {@link SourceChangedError}. */
  open(ctx: Context<z.output<C>, z.output<K>>, file: Pick<SourceFile, 'key' | 'revision'>): Promise<Readable>;
}

/** An input of files that are sent to the hub. */
export interface PushedInput<
  C extends z.ZodObject = z.ZodObject,
  K extends z.ZodObject = z.ZodObject,
> extends InputBase<C, K> {
  trigger: WebhookTrigger<z.output<C>, z.output<K>> | UploadTrigger;
}

/** An input connector. Made by {@link defineInput}; holds no state. */
export type InputConnector<C extends z.ZodObject = z.ZodObject, K extends z.ZodObject = z.ZodObject> =
  ScheduledInput<C, K> | PushedInput<C, K>;

/** True for an input whose files are listed and opened. */
export function isScheduled<C extends z.ZodObject, K extends z.ZodObject>(
  input: InputConnector<C, K>,
): input is ScheduledInput<C, K> {
  return input.trigger.type === 'schedule';
}

/** Declares an input connector; types of settings and credentials are inferred. */
export function defineInput<C extends z.ZodObject, K extends z.ZodObject>(
  definition: Omit<ScheduledInput<C, K>, 'kind'>,
): ScheduledInput<C, K>;
export function defineInput<C extends z.ZodObject, K extends z.ZodObject>(
  definition: Omit<PushedInput<C, K>, 'kind'>,
): PushedInput<C, K>;
export function defineInput<C extends z.ZodObject, K extends z.ZodObject>(
  definition: Omit<ScheduledInput<C, K>, 'kind'> | Omit<PushedInput<C, K>, 'kind'>,
): InputConnector<C, K> {
  return Object.freeze({ ...definition, kind: 'input' as const });
}
