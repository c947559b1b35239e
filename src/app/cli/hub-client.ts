import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliError, EXIT } from './cli-error.js';

type Query = Readonly<Record<string, string | number | undefined>>;

interface PageOf<Item> {
  items: Item[];
  total: number;
}

const PAGE_SIZE = 200;

/** The hub's HTTP API, with errors as {@link CliError}. */
export class HubClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async get<Body>(path: string, query: Query = {}): Promise<Body> {
    return this.json(await this.call('GET', path, query));
  }

  async post<Body>(path: string, body?: unknown): Promise<Body> {
    return this.json(await this.call('POST', path, {}, body));
  }

  async delete<Body>(path: string): Promise<Body> {
    return this.json(await this.call('DELETE', path, {}));
  }

  /** Sends a file as the body; `onBytes` hears how much of it has gone. */
  async upload<Body>(
    path: string,
    query: Query,
    file: string,
    onBytes: (done: number, total: number) => void,
  ): Promise<Body> {
    const { size } = await stat(file).catch(unreadable(file));
    let done = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _, next) {
        onBytes((done += chunk.length), size);
        next(null, chunk);
      },
    });
    const request = {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.key}`,
        'content-type': 'application/octet-stream',
        'content-length': String(size),
      },
      body: Readable.toWeb(
        createReadStream(file)
          .on('error', (error) => counted.destroy(error))
          .pipe(counted),
      ),
      duplex: 'half' as const,
    };
    return this.json(await this.answered(this.urlOf(path, query), request));
  }

  /** Every item of a list, page by page. */
  async *all<Item>(path: string, query: Query = {}): AsyncGenerator<Item> {
    for (let page = 1, seen = 0; ; page += 1) {
      const { items, total } = await this.get<PageOf<Item>>(path, { ...query, page, pageSize: PAGE_SIZE });
      yield* items;
      seen += items.length;
      if (items.length === 0 || seen >= total) return;
    }
  }

  /** Writes an answer to `file`, whole or not at all; `onBytes` hears of each piece and of the whole's size. */
  async download(
    path: string,
    file: string,
    onBytes: (done: number, total: number | undefined) => void,
  ): Promise<void> {
    const response = await this.call('GET', path, {});
    if (!response.body) throw new CliError(`${path} answered nothing.`, EXIT.unreachable);
    const total = Number(response.headers.get('content-length')) || undefined;
    const part = `${file}.part`;
    let done = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _, next) {
        onBytes((done += chunk.length), total);
        next(null, chunk);
      },
    });
    try {
      await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(part));
      await rename(part, file);
    } catch (error) {
      await rm(part, { force: true });
      throw new CliError(`${file} was not written: ${reasonOf(error)}.`, EXIT.bad);
    }
  }

  private async call(method: string, path: string, query: Query, body?: unknown): Promise<Response> {
    return this.answered(this.urlOf(path, query), {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  private urlOf(path: string, query: Query): URL {
    const url = new URL(`${this.url}/api/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  private async answered(url: URL, request: RequestInit): Promise<Response> {
    const response = await this.send(url, request);
    if (response.ok) return response;
    throw await problemOf(response);
  }

  private async send(url: URL, request: RequestInit): Promise<Response> {
    try {
      return await fetch(url, request);
    } catch (error) {
      const hint = 'Is the hub running? HUB_URL or --url says where it is.';
      throw new CliError(`${this.url} does not answer (${reasonOf(error)}). ${hint}`, EXIT.unreachable);
    }
  }

  private async json<Body>(response: Response): Promise<Body> {
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }
}

/** An answer that is no success, as the hub words it; anything else that answers says so itself. */
async function problemOf(response: Response): Promise<CliError> {
  const text = await response.text();
  const isProblem = (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
  if (!isProblem) {
    const message = `${new URL(response.url).host} answered ${response.status}, and not as the hub does.`;
    return new CliError(`${message} Check HUB_URL or --url.`, EXIT.unreachable);
  }
  const problem = JSON.parse(text) as {
    detail: string;
    code: string;
    errors?: { field: string; message: string }[];
  };
  const lines = (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  return new CliError(problem.detail, EXIT.refused, problem.code, lines);
}

function unreadable(file: string) {
  return (error: unknown): never => {
    throw new CliError(`${file} cannot be read (${reasonOf(error)}).`, EXIT.usage);
  };
}

function reasonOf(error: unknown): string {
  const { cause, code, message } = error as { cause?: { code?: string }; code?: string; message?: string };
  return cause?.code ?? code ?? message ?? String(error);
}
