import { once } from 'node:events';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { cutSlowBodies } from './slow-bodies.js';

const EVERY_MS = 100;
const LEAST_BYTES = 20;

describe('a body', () => {
  let server: Server;
  beforeEach(async () => {
    const app = express();
    app.use(cutSlowBodies({ everyMs: EVERY_MS, leastBytes: LEAST_BYTES }));
    app.use((request, response) => {
      let sizeBytes = 0;
      request.on('data', (chunk: Buffer) => (sizeBytes += chunk.length));
      // Slower than the limit by itself: what is asked for may take its time.
      request.on('end', () => setTimeout(() => response.end(String(sizeBytes)), 3 * EVERY_MS));
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  /** Sends chunks of so many bytes at the pace, and returns the answer, or the code of what broke. */
  async function answerTo(chunkBytes: number, chunks: number, everyMs: number): Promise<string> {
    const { port } = server.address() as AddressInfo;
    const request = send({ port, host: '127.0.0.1', method: 'POST', agent: false });
    const answered = new Promise<string>((resolve) => {
      request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'broke'));
      request.once('response', (response) => {
        void (async () => {
          let text = '';
          for await (const chunk of response) text += String(chunk);
          resolve(text);
        })();
      });
    });
    for (let sent = 0; sent < chunks && !request.destroyed; sent += 1) {
      request.write(Buffer.alloc(chunkBytes, 'x'));
      await sleep(everyMs);
    }
    request.end();
    return answered;
  }

  it('may take as long as it likes where it keeps coming', async () => {
    expect(await answerTo(LEAST_BYTES * 10, 25, EVERY_MS / 5)).toBe(String(LEAST_BYTES * 250));
  });

  it('is cut where it comes in single bytes', async () => {
    expect(['ECONNRESET', 'EPIPE']).toContain(await answerTo(1, 100, EVERY_MS / 2));
  });

  it('that is whole is not cut while the answer is made', async () => {
    expect(await answerTo(1, 1, 0)).toBe('1');
  });
});
