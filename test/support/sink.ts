import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A body of the webhook output. */
interface SinkBody {
  event: string;
  audience?: { externalId?: string; name: string };
  operation?: 'add' | 'remove';
  fromVersion?: number;
  toVersion?: number;
  members?: { mpid: string; identities: Record<string, string[]>; attributes?: Record<string, string> }[];
}

/** A batch as the sink got it. */
export interface SinkBatch {
  key: string;
  operation: 'add' | 'remove';
  mpids: string[];
  /** HTTP status it was answered with; 0 where there was no answer. */
  status: number;
}

/**
 * How the sink fails. `lost answer`: it takes the batch, and the connection breaks before it says so.
 */
export type SinkFailure =
  { status: number; headers?: Record<string, string> } | 'hang' | 'reset' | 'garbage' | 'lost answer';

/**
 * A partner on a free port of this machine that speaks the webhook output's JSON. It keeps the set of members
 * by applying each batch once per idempotency key, and notices what should never happen: somebody added who
 * is there, or removed who is not.
 */
export class Sink {
  readonly batches: SinkBatch[] = [];
  readonly members = new Set<string>();
  /** E-mail addresses of those members, as the last batch with them said. */
  readonly emails = new Map<string, readonly string[]>();
  /** Attributes of those members, as the last batch with them said. */
  readonly attributes = new Map<string, Record<string, string>>();
  /** Members added twice or removed twice, under different keys. */
  readonly doubled: string[] = [];
  /** Names of the audiences that were created, by idempotency key. */
  readonly created = new Map<string, string>();
  /** Names that audiences were given later, in order. */
  readonly renamed: string[] = [];
  /** Names of audiences that were deleted, in order. */
  readonly deleted: string[] = [];
  /** Members refused by name: the batch is taken, and the answer lists them. */
  readonly refusedRows = new Set<string>();
  /** Members because of whom a whole batch is refused with 422. */
  readonly poison = new Set<string>();
  /** Times it was asked for the number of its members. */
  counted = 0;
  /** Most requests that were there at once. */
  mostAtOnce = 0;
  #there = 0;
  /** Asked for each request: how does it fail? Undefined: it does not. */
  failure: (batch: number, event: string) => SinkFailure | undefined = () => undefined;
  /** Waited for before a batch is answered. */
  beforeAnswer: (batch: number) => Promise<void> | undefined = () => undefined;
  readonly #applied = new Set<string>();
  readonly #server: Server;
  #arrivals: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#there += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#there);
      response.once('close', () => (this.#there -= 1));
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<Sink> {
    const sink = new Sink();
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Forgets everything but that it has these members. */
  reset(members: Iterable<string> = []): void {
    this.batches.length = 0;
    this.doubled.length = 0;
    this.created.clear();
    this.#applied.clear();
    this.members.clear();
    this.emails.clear();
    this.attributes.clear();
    for (const mpid of members) this.members.add(mpid);
  }

  /** Resolves when the next batch has arrived. */
  nextBatch(): Promise<void> {
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as SinkBody;
    const key = String(request.headers['idempotency-key']);
    const batch = body.members ? this.#note(key, body) : undefined;
    const sent = body.members ?? [];
    const failure = this.failure(this.batches.length, body.event);
    for (const arrived of this.#arrivals.splice(0)) arrived();
    if (batch) await this.beforeAnswer(this.batches.length);
    if (failure === undefined || failure === 'lost answer') {
      if (body.event === 'audience.created') this.created.set(key, body.audience?.name ?? '');
      if (body.event === 'audience.renamed') this.renamed.push(body.audience?.name ?? '');
      if (body.event === 'audience.deleted') this.deleted.push(body.audience?.name ?? '');
      if (body.event === 'audience.count') {
        this.counted += 1;
        response.writeHead(200).end(JSON.stringify({ count: this.members.size }));
        return;
      }
      const status = batch ? this.#take(batch) : 204;
      if (status === 200) this.#keepEmails(body.operation, sent);
      if (failure === 'lost answer') {
        request.socket.resetAndDestroy();
        return;
      }
      this.#answer(response, batch, status);
      return;
    }
    if (failure === 'hang') return;
    if (failure === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const { status, headers } = failure === 'garbage' ? { status: 200, headers: {} } : failure;
    if (batch) batch.status = status;
    response.writeHead(status, headers).end(failure === 'garbage' ? '<html>no JSON</html>' : '');
  }

  #note(key: string, body: SinkBody): SinkBatch {
    const mpids = (body.members ?? []).map(({ mpid }) => mpid);
    const batch = { key, operation: body.operation ?? 'add', mpids, status: 0 };
    this.batches.push(batch);
    return batch;
  }

  #take({ key, operation, mpids }: SinkBatch): number {
    if (mpids.some((mpid) => this.poison.has(mpid))) return 422;
    if (this.#applied.has(key)) return 200;
    this.#applied.add(key);
    for (const mpid of mpids.filter((one) => !this.refusedRows.has(one))) {
      const changed = operation === 'add' ? !this.members.has(mpid) : this.members.has(mpid);
      if (!changed) this.doubled.push(mpid);
      if (operation === 'add') this.members.add(mpid);
      else this.members.delete(mpid);
    }
    return 200;
  }

  #keepEmails(operation: SinkBody['operation'], sent: NonNullable<SinkBody['members']>): void {
    for (const { mpid, identities, attributes } of sent) {
      this.attributes.delete(mpid);
      if (operation === 'remove') this.emails.delete(mpid);
      else {
        this.emails.set(mpid, identities.email ?? []);
        if (attributes) this.attributes.set(mpid, attributes);
      }
    }
  }

  #answer(response: ServerResponse, batch: SinkBatch | undefined, status: number): void {
    if (batch) batch.status = status;
    const rejected = (batch?.mpids ?? [])
      .map((mpid, index) => ({ mpid, index }))
      .filter(({ mpid }) => this.refusedRows.has(mpid))
      .map(({ index }) => ({ index, code: 'UNKNOWN_PERSON', message: 'Nobody here' }));
    response.writeHead(status);
    response.end(status === 200 && rejected.length > 0 ? JSON.stringify({ rejected }) : undefined);
  }
}
