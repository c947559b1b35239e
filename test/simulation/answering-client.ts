import type { HttpClient, HttpResponse } from '../../src/kit/index.js';
import { EgressClient, EgressGuard } from '../../src/platform/http/index.js';

const ANSWER: HttpResponse = { status: 204, headers: {}, text: '', json: () => undefined };

/** The way out of a simulated process: every request is answered at once, and goes nowhere. */
export class AnsweringClient extends EgressClient {
  constructor() {
    super({ guard: new EgressGuard({ allowPrivate: false }) });
  }

  override bound(): HttpClient {
    return { request: () => Promise.resolve(ANSWER) };
  }
}
