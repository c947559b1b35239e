import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'undici';
import { serveParent } from '../process/program.js';

/** Posts the bodies in the file at `path` (see the sink) to `url`, `concurrency` at a time. Answers seconds. */
export interface LoopRequest {
  url: string;
  path: string;
  concurrency: number;
}

function bodiesOf(path: string): Buffer[] {
  const file = readFileSync(path);
  const bodies: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32BE(at);
    bodies.push(file.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return bodies;
}

async function loop({ url, path, concurrency }: LoopRequest): Promise<number> {
  const bodies = bodiesOf(path);
  const dispatcher = new Agent({ connections: concurrency });
  let next = 0;
  const sender = async () => {
    for (let body = bodies[next++]; body; body = bodies[next++]) {
      const headers = { 'content-type': 'application/json' };
      const answer = await send(url, { method: 'POST', headers, body, dispatcher });
      await answer.body.text();
    }
  };
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, sender));
  const seconds = (performance.now() - beganMs) / 1000;
  await dispatcher.close();
  return seconds;
}

serveParent(loop);
