import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { serveParent } from '../process/program.js';

/**
 * As much of S3 as it takes to list and read one object: ListObjectsV2 and GetObject with If-Match. `serve` makes the
 * file at `path` the object `audience.csv`, or, without a path, leaves the bucket empty. `listen` answers the address.
 */
export type BucketRequest = { do: 'listen' } | { do: 'serve'; path?: string };

interface Served {
  path: string;
  sizeBytes: number;
  etag: string;
  modifiedAt: Date;
}

let served: Served | undefined;

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
  if (searchParams.get('list-type') === '2') list(response);
  else void get(request.headers['if-match'], response);
});

function list(response: ServerResponse): void {
  const object = served
    ? `<Contents><Key>audience.csv</Key><ETag>${served.etag}</ETag><Size>${served.sizeBytes}</Size><LastModified>${served.modifiedAt.toISOString()}</LastModified></Contents>`
    : '';
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${object}</ListBucketResult>`,
  );
}

async function get(ifMatch: string | undefined, response: ServerResponse): Promise<void> {
  if (!served || (ifMatch !== undefined && ifMatch !== served.etag)) {
    response.writeHead(served ? 412 : 404).end();
    return;
  }
  response.writeHead(200, { etag: served.etag, 'content-length': served.sizeBytes });
  // Where the hub goes away in the middle, the bench fails for that reason.
  await pipeline(createReadStream(served.path, { highWaterMark: 1 << 20 }), response).catch(() => undefined);
}

let revision = 0;

async function handle(request: BucketRequest): Promise<unknown> {
  if (request.do === 'listen') {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  revision += 1;
  if (request.path === undefined) served = undefined;
  else {
    const { size, mtime } = await stat(request.path);
    served = { path: request.path, sizeBytes: size, etag: `"bench-${revision}"`, modifiedAt: mtime };
  }
  return null;
}

serveParent(handle);
