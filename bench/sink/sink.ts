import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent } from '../process/program.js';

/**
 * A partner at its fastest: reads each body, parses it, answers 200 {}. It keeps the bodies of members while it
 * is told to record, so that the bare loop can post the very same ones.
 */
export type SinkRequest = { do: 'listen' } | { do: 'record' } | { do: 'save'; path: string };

let recorded: Buffer[] | undefined;

const server = createServer((request, response) => {
  read(request, (body) => {
    const { event } = JSON.parse(body.toString('utf8')) as { event?: string };
    if (recorded && event === 'audience.members') recorded.push(body);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
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
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
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
