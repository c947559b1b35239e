import { createReadStream } from 'node:fs';
import { request as send, type ClientRequest } from 'node:http';
import { Readable } from 'node:stream';
import type { BenchHub } from './hub.js';
import { ending, type EndedImport } from './tenant.js';

/** A workspace that files are sent to, with an API key of its own. */
export interface Uploader {
  workspaceId: string;
  key: string;
  owId: string;
}

/** What an upload was answered with. */
export interface UploadAnswer {
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
  /** Bytes of the file that were handed over before the answer came. */
  sentBytes: number;
}

const BOUNDARY = 'bench-boundary-3c1f8a';
const COLUMNS = { email: 'Email' };

/** Makes an organization, a workspace and its key. */
export async function makeUploader(hub: BenchHub): Promise<Uploader> {
  const owId = '123456';
  const organization = { name: 'Uploads', externalId: owId };
  const { id: organizationId } = await hub.call<{ id: string }>('POST', '/organizations', organization);
  const workspace = { organizationId, name: 'Uploads', seatId: 'uploads' };
  const { id: workspaceId } = await hub.call<{ id: string }>('POST', '/workspaces', workspace);
  const body = { workspaceId, name: 'Uploads', role: 'editor' };
  const { key } = await hub.call<{ key: string }>('POST', '/api-keys', body);
  return { workspaceId, key, owId };
}

/** Sends the chunks as the file of IQM's form; matched are e-mails. */
export function sendByIqm(
  { url }: BenchHub,
  { key, owId }: Uploader,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  rows: number,
): Promise<UploadAnswer> {
  const fields = {
    audienceName: 'Uploaded by IQM',
    columns: JSON.stringify(COLUMNS),
    metadata: '{}',
    fileTotalCount: String(rows),
    isSingleColumnEnabled: 'true',
  };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `${parts.join('')}--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="people.csv"\r\n\r\n`;
  const headers = {
    authorization: `Bearer ${key}`,
    'x-iaa-ow-id': owId,
    'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
  };
  async function* body() {
    yield Buffer.from(head);
    yield* chunks;
    yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
  }
  return post(`${url}/api/v2/audience/matched/add`, 'POST', headers, body());
}

/** Begins a resumable upload; `lengthBytes` undefined: said later. Returns where its bytes go. */
export async function beginTus(
  { url }: BenchHub,
  { key }: Uploader,
  lengthBytes: number | undefined,
): Promise<string> {
  const notes = { audienceName: 'Uploaded by tus', columns: JSON.stringify(COLUMNS) };
  const metadata = Object.entries(notes).map(
    ([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`,
  );
  const length: Record<string, string> =
    lengthBytes === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(lengthBytes) };
  const headers = { ...tusHeaders(key), ...length, 'upload-metadata': metadata.join(',') };
  const answer = await post(`${url}/api/v1/uploads/tus`, 'POST', headers, Readable.from([]));
  if (answer.status !== 201) throw new Error(`The upload was not begun: ${answer.body}`);
  return `${url}${String(answer.headers.location)}`;
}

/** Sends the chunks to a resumable upload that is at its beginning. */
export function sendByTus(
  uploadUrl: string,
  { key }: Uploader,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<UploadAnswer> {
  const headers = {
    ...tusHeaders(key),
    'upload-offset': '0',
    'content-type': 'application/offset+octet-stream',
  };
  return post(uploadUrl, 'PATCH', headers, chunks);
}

/** Waits for the one import of the audience that was made last. */
export async function importEnded(hub: BenchHub): Promise<EndedImport> {
  const { items } = await hub.call<{ items: { id: string }[] }>('GET', '/imports?pageSize=1');
  const ended = await ending<EndedImport>(hub, `/imports/${items[0]?.id}`, ['queued', 'running']);
  if (ended.state !== 'published') {
    throw new Error(`The import ended as ${ended.state}: ${ended.error?.message ?? 'no reason given'}`);
  }
  return ended;
}

/** The bytes of a file, in the pieces in which a client sends them. */
export const bytesOf = (path: string): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: 256 * 1024 });

const tusHeaders = (key: string) => ({ authorization: `Bearer ${key}`, 'tus-resumable': '1.0.0' });

/** Waits until more may be written, or nobody takes it any longer. */
function drained(call: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'response', 'close'] as const;
    const go = () => {
      for (const event of events) call.off(event, go);
      resolve();
    };
    for (const event of events) call.on(event, go);
  });
}

/** Sends as fast as it is taken, and stops where an answer comes before the end. */
function post(
  url: string,
  method: string,
  headers: Record<string, string>,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    const call = send(url, { method, headers, agent: false });
    let sentBytes = 0;
    let answered = false;
    call.once('error', (error) => {
      if (!answered) reject(error);
    });
    call.once('response', (response) => {
      answered = true;
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers, sentBytes }),
      );
    });
    const write = async () => {
      for await (const chunk of chunks) {
        if (answered || call.destroyed) break;
        sentBytes += chunk.length;
        if (!call.write(chunk)) await drained(call);
      }
      call.end();
    };
    write().catch(reject);
  });
}
