import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent } from '../process/program.js';

/**
 * A partner at its fastest: reads each body, parses it, answers 200 with what its kind of partner says. It keeps the
 * bodies of members while it is told to record, so that the bare loop can post the very same ones.
 */
export type SinkRequest = { do: 'listen'; as: SinkKind } | { do: 'record' } | { do: 'save'; path: string };

/** Whose plugin it answers. */
export type SinkKind = 'webhook' | 'meta';

interface SinkAnswer {
  /** Whether the request brought members. */
  members: boolean;
  body: string;
}

const ANSWERS: Readonly<Record<SinkKind, (path: string, sent: unknown) => SinkAnswer>> = {
  webhook: (_, sent) => ({ members: (sent as { event?: string }).event === 'audience.members', body: '{}' }),
  // An audience is looked for, made, and filled.
  meta: (path, sent) => {
    if (!path.endsWith('/users'))
      return { members: false, body: sent === undefined ? '{"data":[]}' : '{"id":"1"}' };
    const { payload } = sent as { payload: { data: unknown[] } };
    return { members: true, body: `{"num_received":${payload.data.length},"num_invalid_entries":0}` };
  },
};

let recorded: Buffer[] | undefined;
let kind: SinkKind = 'webhook';

const server = createServer((request, response) => {
  read(request, (body) => {
    const sent: unknown = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
    const answer = ANSWERS[kind](request.url ?? '', sent);
    if (recorded && answer.members) recorded.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer.body);
  });
});

function read(request: IncomingMessage, onBody: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => onBody(Buffer.concat(chunks)));
}

/** Each body after its length in four bytes. */
function framed(bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      return [length, body];
    }),
  );
}

async function handle(request: SinkRequest): Promise<unknown> {
  if (request.do === 'listen') {
    kind = request.as;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  if (request.do === 'record') {
    recorded = [];
    return undefined;
  }
  const bodies = recorded ?? [];
  recorded = undefined;
  await writeFile(request.path, framed(bodies));
  return bodies.length;
}

serveParent(handle);
