import type { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import type { ConnectorBase, Context } from './connector.js';

/** Which workspace a file belongs to: the input's own, or the one with this seat id. */
export type WorkspaceRef = { by: 'input' } | { by: 'seat'; seatId: string };

/** How the rows of a file are to be read. */
export interface FileShape {
  format: 'csv';
  /** False: every record is data and `columns` names them. */
  header: boolean;
  /** Names of the columns of a file without header. */
  columns?: readonly string[];
  /** UTF-8 only (Repro) or whatever is recognised (IQM). */
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
}

/** An input connector. Made by {@link defineInput}; holds no state. */
export interface InputConnector<
  C extends z.ZodObject = z.ZodObject,
  K extends z.ZodObject = z.ZodObject,
> extends ConnectorBase<C, K> {
  kind: 'input';
  trigger: ScheduleTrigger<z.output<C>, z.output<K>>;
  /** Streams exactly the listed revision, or throws {@link SourceChangedError}. */
  open(ctx: Context<z.output<C>, z.output<K>>, file: Pick<SourceFile, 'key' | 'revision'>): Promise<Readable>;
}

/** Declares an input connector; types of settings and credentials are inferred. */
export function defineInput<C extends z.ZodObject, K extends z.ZodObject>(
  definition: Omit<InputConnector<C, K>, 'kind'>,
): InputConnector<C, K> {
  return Object.freeze({ ...definition, kind: 'input' as const });
}
