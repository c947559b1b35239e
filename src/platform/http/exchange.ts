import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { fault } from '../../kit/index.js';
import type { Deadline } from './deadline.js';
import type { Departure } from './sending.js';

/** One answer, read whole. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * Sends one request and reads its answer, at most `maxBytes` of it, until `deadline` ends it. `departure` is told how far
 * it is. Works on
 * undici's handlers and not on its streams: with the small answers of partners those cost as much as the
 * request itself.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { maxBytes, deadline }: { maxBytes: number; deadline: Deadline },
  departure?: Departure,
): Promise<Answer> {
  const answered = new Promise<Answer>((resolve, reject) => {
    const answer: Answer = { status: 0, headers: {}, body: Buffer.alloc(0) };
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    deadline.onEnd(reject);
    dispatcher.dispatch(request, {
      onRequestStart: (controller) => {
        departure?.starts();
        // The time may have been up before there was a connection.
        deadline.onEnd((reason) => {
          controller.abort(reason);
          reject(reason);
        });
      },
      onResponseStart: (_controller, status, headers) => {
        answer.status = status;
        answer.headers = headers;
      },
      onResponseData: (controller, chunk) => {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > maxBytes) controller.abort(tooLarge(maxBytes));
        else chunks.push(chunk);
      },
      onResponseEnd: () => {
        const [only] = chunks;
        answer.body = chunks.length === 1 && only ? only : Buffer.concat(chunks);
        resolve(answer);
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
  // An answer is no sign: it may come before the whole body has gone out.
  answered.catch(() => departure?.fails());
  return answered;
}

function tooLarge(maxBytes: number): Error {
  return fault.retryable('RESPONSE_TOO_LARGE', `The partner answered with more than ${maxBytes} bytes.`);
}
