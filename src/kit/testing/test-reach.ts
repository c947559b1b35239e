import { Evidence } from './evidence.js';
import { MemoryDestination } from './memory-destination.js';
import { testConnect } from './test-connect.js';
import { TestHttpClient } from './test-http-client.js';

const TIMEOUT_MS = 5000;

/**
 * What a context has beside settings and credentials, for single cases of an output's spec: it reaches servers of this
 * machine, and its clock stands at the beginning of 2026.
 */
export function testReach() {
  const { signal } = new AbortController();
  const evidence = new Evidence();
  return {
    connectionId: 'connection-1',
    runId: 'run-1',
    http: new TestHttpClient(evidence, signal, TIMEOUT_MS),
    destination: () => new MemoryDestination(),
    connect: testConnect(signal),
    log: evidence.log,
    signal,
    now: () => new Date('2026-01-01T00:00:00Z'),
  };
}
