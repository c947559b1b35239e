import { once } from 'node:events';
import { Readable, Writable, type PassThrough } from 'node:stream';
import { PassThrough as Pass } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import type { Request } from 'express';
import { HubError } from '../../domain/errors/index.js';
import type { WebhookRequest } from '../../kit/index.js';
import type { OpenUpload } from '../intake/index.js';
import { csvOf, readJsonPush } from './json-rows.js';

/** What came beside the head. */
export type PushParts = Pick<WebhookRequest, 'fields' | 'content' | 'fileName'>;

/** Largest JSON body: it is kept in memory. Larger universes are sent as files. */
const MAX_JSON_BYTES = 8 * 1024 ** 2;
/** What a form has around its file. */
const FORM_BYTES = 1024 ** 2;
const FIELD_BYTES = 8192;
const TEXT_TYPES = new Set([
  'text/csv',
  'text/tab-separated-values',
  'text/plain',
  'application/octet-stream',
]);

/**
 * Reads the body of a push: a form with a file, JSON, or the file alone. The file goes into `upload`; `seen` has
 * every byte as it came. What is returned is finished after the sender is known: JSON is not looked at before.
 */
export async function readPush(
  request: Request,
  upload: OpenUpload,
  maxBytes: number,
  seen: (chunk: Buffer) => void,
): Promise<() => Promise<PushParts>> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return readJson(request, upload, seen);
  if (type === 'multipart/form-data') return readForm(request, upload, maxBytes, seen);
  if (!TEXT_TYPES.has(type)) {
    throw new HubError(
      'MEDIA_TYPE_UNSUPPORTED',
      'Send multipart/form-data, application/json, or the file as text/csv.',
    );
  }
  const body = new Pass();
  await Promise.all([feed(request, body, maxBytes, seen), upload.write(body, maxBytes)]);
  return async () => Promise.resolve({ fields: {}, content: upload.sizeBytes > 0 ? 'file' : 'none' });
}

async function readJson(request: Request, upload: OpenUpload, seen: (chunk: Buffer) => void) {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await feed(request, sink, MAX_JSON_BYTES, seen);
  return async (): Promise<PushParts> => {
    const { fields, rows } = readJsonPush(Buffer.concat(chunks));
    if (rows.length === 0) return { fields, content: 'none' };
    await upload.write(Readable.from(csvOf(rows)), Number.MAX_SAFE_INTEGER);
    return { fields, content: 'rows' };
  };
}

async function readForm(
  request: Request,
  upload: OpenUpload,
  maxBytes: number,
  seen: (chunk: Buffer) => void,
) {
  const fields: Record<string, string> = {};
  let fileName: string | undefined;
  let writing: Promise<void> | undefined;
  let file: Readable | undefined;
  let notWritten: unknown;
  const form = formOf(request);
  form.on('field', (name, value, _nameCut, valueCut) => {
    if (valueCut)
      form.destroy(malformed(`The field "${name.slice(0, 100)}" is longer than ${FIELD_BYTES} bytes.`));
    else if (name !== '__proto__') fields[name] = value;
  });
  form.on('file', (_field, stream, name) => {
    if (writing !== undefined) {
      form.destroy(malformed('The form has more than one file.'));
      return;
    }
    fileName = name;
    file = stream;
    writing = upload.write(stream, maxBytes);
    // Too large, or no space: nothing more is read.
    writing.catch((error: unknown) => {
      notWritten = error;
      form.destroy(error as Error);
    });
  });
  const finished = once(form, 'finish');
  finished.catch(() => undefined);
  try {
    await feed(request, form, maxBytes + FORM_BYTES, seen);
    await finished;
    await writing;
  } catch (error) {
    file?.destroy();
    await writing?.catch(() => undefined);
    throw error instanceof HubError || error === notWritten ? error : malformed('The form cannot be read.');
  }
  return async (): Promise<PushParts> =>
    Promise.resolve({
      fields,
      content: writing === undefined ? 'none' : 'file',
      ...(fileName === undefined ? {} : { fileName }),
    });
}

function formOf(request: Request) {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { fields: 50, fieldSize: FIELD_BYTES, files: 2, headerPairs: 50 },
    });
  } catch {
    throw malformed('The form has no boundary.');
  }
}

/** Writes the body into `sink` as fast as it is taken; the request stays open whatever happens. */
async function feed(
  request: Request,
  sink: Writable | PassThrough,
  maxBytes: number,
  seen: (chunk: Buffer) => void,
): Promise<void> {
  let failure: Error | undefined;
  const failed = new Promise<never>((_, reject) => {
    sink.once('error', (error) => {
      failure = error;
      reject(error);
    });
  });
  failed.catch(() => undefined);
  let sizeBytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (failure) throw failure;
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      seen(chunk);
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), failed]);
    }
    sink.end();
  } catch (error) {
    const known = error instanceof HubError || error === failure ? (error as Error) : cutShort(error);
    sink.destroy(known);
    throw known;
  }
}

function tooLarge(maxBytes: number): HubError {
  return new HubError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes. Send less, or a file.`);
}

function malformed(what: string): HubError {
  return new HubError('MALFORMED_BODY', `${what} Expected one form with the fields "name" and "file".`);
}

function cutShort(cause: unknown): HubError {
  const message = 'The body cannot be read, or the connection ended before it did. Send it again.';
  return new HubError('MALFORMED_BODY', message, undefined, { cause });
}
