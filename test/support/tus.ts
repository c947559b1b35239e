import { request as send } from 'node:http';
import { Upload, type DetailedError } from 'tus-js-client';
import type { FileStore } from '../../src/platform/files/index.js';
import { FILES } from '../../src/platform/nest/index.js';
import type { TestHub } from './hub.js';
import type { Tenant } from './tenants.js';
import { until } from './until.js';

/** What a call of the tus protocol answered. */
export interface TusAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: { code?: string; detail?: string; id?: string } | undefined;
}

const BYTES = 'application/offset+octet-stream';

/** As Upload-Metadata has it. */
export function metadataOf(notes: Readonly<Record<string, string>>): string {
  return Object.entries(notes)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** Makes one call; `body` in chunks is sent chunk by chunk, and broken off where it throws. */
export function tusCall(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: Buffer | AsyncIterable<Buffer>,
): Promise<TusAnswer> {
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method,
      agent: false,
      headers: {
        'tus-resumable': '1.0.0',
        ...(body === undefined ? {} : { 'content-type': BYTES }),
        ...(Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {}),
        ...headers,
      },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, body: text === '' ? undefined : (JSON.parse(text) as object) });
      });
    });
    if (body === undefined || Buffer.isBuffer(body)) request.end(body);
    else void sendChunks(request, body);
  });
}

async function sendChunks(request: ReturnType<typeof send>, body: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const chunk of body) {
      if (request.destroyed) return;
      if (!request.write(chunk)) await new Promise((go) => request.once('drain', go).once('close', go));
    }
    request.end();
  } catch (error) {
    request.destroy(error as Error);
  }
}

/** Begins an upload; returns where its bytes go. */
export async function beginUpload(
  hubUrl: string,
  key: string,
  lengthBytes: number | undefined,
  notes: Readonly<Record<string, string>>,
): Promise<{ id: string; url: string }> {
  const answer = await tusCall(`${hubUrl}/api/v1/uploads/tus`, 'POST', {
    authorization: `Bearer ${key}`,
    ...(lengthBytes === undefined
      ? { 'upload-defer-length': '1' }
      : { 'upload-length': String(lengthBytes) }),
    'upload-metadata': metadataOf(notes),
  });
  if (answer.status !== 201) throw new Error(`The upload was not begun: ${JSON.stringify(answer)}`);
  return { id: answer.body?.id ?? '', url: `${hubUrl}${String(answer.headers.location)}` };
}

/** Sends a file with the tus client that people use; goes on at `uploadUrl`. Returns the address of the upload. */
export function sendByClient(
  hubUrl: string,
  key: string,
  file: Buffer,
  options: {
    metadata?: Record<string, string>;
    chunkBytes?: number;
    uploadUrl?: string;
    retryDelays?: number[];
    onOffset?: (bytes: number) => void;
  } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: `${hubUrl}/api/v1/uploads/tus`,
      headers: { authorization: `Bearer ${key}` },
      metadata: options.metadata ?? {},
      chunkSize: options.chunkBytes ?? Number.POSITIVE_INFINITY,
      retryDelays: options.retryDelays ?? [],
      uploadUrl: options.uploadUrl ?? null,
      onChunkComplete: (_size, accepted) => options.onOffset?.(accepted),
      onError: (error: Error | DetailedError) => reject(error),
      onSuccess: () => resolve(upload.url ?? ''),
    });
    upload.start();
  });
}

/** An upload as the API shows it. */
export interface UploadView {
  id: string;
  state: string;
  receivedBytes: number;
  declaredBytes: number | null;
  sha256: string | null;
  importId: string | null;
  preflight: Record<string, unknown> | null;
  error: { code: string; message: string } | null;
}
/** The import that it made. */
export interface ImportView {
  state: string;
  audienceId: number;
  rows: { read: number };
  added: number;
}

/** Calls of one sender of a tenant, and what is to be seen of them. */
export function tusSender(hub: TestHub, tenant: Tenant) {
  const auth = () => ({ authorization: `Bearer ${tenant.editor}` });
  const idOf = (url: string) => url.split('/').at(-1) ?? '';
  const viewOf = (url: string) =>
    hub.ok<UploadView>('GET', `/uploads/${idOf(url)}`, undefined, tenant.viewer);
  return {
    auth,
    begin: (bytes: number | undefined, notes: Record<string, string>) =>
      beginUpload(hub.url, tenant.editor, bytes, notes),
    patch: (url: string, offset: number, body: Buffer | AsyncIterable<Buffer>) =>
      tusCall(url, 'PATCH', { ...auth(), 'upload-offset': String(offset) }, body),
    offsetOf: async (url: string) => Number((await tusCall(url, 'HEAD', auth())).headers['upload-offset']),
    viewOf,
    imported: (url: string): Promise<ImportView> =>
      until(
        'the import is at its end',
        async () => {
          const { importId } = await viewOf(url);
          if (importId === null) return undefined;
          const found = await hub.ok<ImportView>('GET', `/imports/${importId}`);
          return ['queued', 'running'].includes(found.state) ? undefined : found;
        },
        60_000,
      ),
    /** Keys of its pieces in the file store. */
    async piecesOf(url: string): Promise<string[]> {
      const keys: string[] = [];
      const files = hub.hub.app.get<FileStore>(FILES);
      for await (const key of files.list(`upload-parts/${idOf(url)}/`)) keys.push(key);
      return keys;
    },
  };
}
