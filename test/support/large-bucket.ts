import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PAGE = 1000;

/**
 * A bucket on a free port of this machine with as many keys as wanted, none of which is kept: keys are made as they
 * are listed. Each object is one e-mail; its ETag is `e` unless {@link LargeBucket.etags} says otherwise.
 */
export class LargeBucket {
  /** Key that each listing asked to begin behind; null: from the first. */
  readonly begun: (string | null)[] = [];
  readonly etags = new Map<string, string>();
  /** Pages that are still given before connections break. */
  pagesLeft = Number.POSITIVE_INFINITY;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly count: number,
  ) {}

  static readonly body = 'Email\nperson@example.com\n';

  static async start(count: number): Promise<LargeBucket> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bucket = new LargeBucket(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      server,
      count,
    );
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', bucket.url);
      if (searchParams.get('list-type') === '2') bucket.list(searchParams, response);
      else bucket.get(decodeURIComponent(pathname.slice('/drop/'.length)), response);
    });
    return bucket;
  }

  static keyOf(n: number): string {
    return `onboarding/seat_id=42/crm/${String(n).padStart(7, '0')}.csv`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private list(asked: URLSearchParams, response: ServerResponse): void {
    const token = asked.get('continuation-token');
    if (token === null) this.begun.push(asked.get('start-after'));
    if (this.pagesLeft === 0) {
      response.destroy();
      return;
    }
    this.pagesLeft -= 1;
    const after = token ?? asked.get('start-after');
    const first = after === null ? 0 : Number(/(\d+)\.csv$/.exec(after)?.[1]) + 1;
    const last = Math.min(first + PAGE, this.count) - 1;
    const objects = Array.from({ length: last - first + 1 }, (_, n) => this.object(first + n)).join('');
    const more =
      last + 1 < this.count
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${LargeBucket.keyOf(last)}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><ListBucketResult>${more}${objects}</ListBucketResult>`);
  }

  private object(n: number): string {
    const key = LargeBucket.keyOf(n);
    return `<Contents><Key>${key}</Key><ETag>"${this.etags.get(key) ?? 'e'}"</ETag><Size>${LargeBucket.body.length}</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
  }

  private get(key: string, response: ServerResponse): void {
    const etag = `"${this.etags.get(key) ?? 'e'}"`;
    response.writeHead(200, { etag, 'content-length': LargeBucket.body.length }).end(LargeBucket.body);
  }
}
