import { buildApp } from 'fauxqs';

/** Uploads on one page of the listing: few, so that a reader has to ask for the next. */
const PAGE = 2;

interface OpenUpload {
  key: string;
  uploadId: string;
}

/** fauxqs that also lists open multipart uploads, which it does not by itself. */
export interface MultipartS3 {
  endpoint: string;
  /** Keys of uploads that were begun, and neither completed nor aborted. */
  openKeys(): string[];
  stop(): Promise<void>;
}

/** Starts it with one bucket. Uploads count as begun at `begunAt` of their key. */
export async function startMultipartS3(
  bucket: string,
  begunAt: (key: string) => Date = () => new Date(),
): Promise<MultipartS3> {
  const app = buildApp({ logger: false });
  let open: OpenUpload[] = [];
  app.addHook('onRequest', async (request, reply) => {
    const query = request.query as Record<string, string>;
    if (request.method !== 'GET' || !('uploads' in query)) return;
    const after = open.findIndex(({ uploadId }) => uploadId === query['upload-id-marker']);
    const found = open.filter(({ key }, index) => index > after && key.startsWith(query.prefix ?? ''));
    await reply.header('content-type', 'application/xml').send(listing(found, begunAt));
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const query = request.query as Record<string, string>;
    const key = decodeURIComponent((request.params as { '*'?: string })['*'] ?? '');
    const uploadId = /<UploadId>([^<]+)</.exec(String(payload))?.[1];
    if (request.method === 'POST' && 'uploads' in query && uploadId) open.push({ key, uploadId });
    const ends = request.method === 'POST' || request.method === 'DELETE';
    if (ends && reply.statusCode < 300) open = open.filter((one) => one.uploadId !== query.uploadId);
    return Promise.resolve(payload);
  });
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  await fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
  return {
    endpoint,
    openKeys: () => open.map(({ key }) => key),
    stop: async () => {
      await app.close();
    },
  };
}

function listing(found: readonly OpenUpload[], begunAt: (key: string) => Date): string {
  const page = found.slice(0, PAGE);
  const last = page.at(-1);
  const uploads = page.map(
    ({ key, uploadId }) =>
      `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>${begunAt(key).toISOString()}</Initiated></Upload>`,
  );
  const more = found.length > PAGE;
  const next = `<NextKeyMarker>${last?.key}</NextKeyMarker><NextUploadIdMarker>${last?.uploadId}</NextUploadIdMarker>`;
  return `<?xml version="1.0" encoding="UTF-8"?><ListMultipartUploadsResult><IsTruncated>${more}</IsTruncated>${more ? next : ''}${uploads.join('')}</ListMultipartUploadsResult>`;
}
