import { type FaultKind, isConnectorError } from '../fault.js';
import type { ContractCheck } from './contract-check.js';
import { ensure } from './contract-check.js';
import { type FailureName, type OutputFixtures, OutputRig } from './output-rig.js';
import type { PartnerFailure } from './partner-server.js';
import type { OutputConnector } from '../output.js';

const RETRY_AFTER_SECONDS = 7;
/** Milliseconds the checks let a request take where the partner is meant to answer too late. */
const SHORT_TIMEOUT_MS = 200;

interface FailureCase {
  name: FailureName;
  title: string;
  failure: PartnerFailure;
  kinds: readonly FaultKind[];
  /** Calls the case is tried on; all where absent. */
  only?: string;
}

const CASES: readonly FailureCase[] = [
  { name: '400', title: 'the answer 400', failure: () => ({ status: 400 }), kinds: ['permanent', 'config'] },
  { name: '401', title: 'the answer 401', failure: () => ({ status: 401 }), kinds: ['auth'] },
  { name: '403', title: 'the answer 403', failure: () => ({ status: 403 }), kinds: ['auth'] },
  {
    name: '429',
    title: 'the answer 429 with Retry-After',
    failure: () => ({ status: 429, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } }),
    kinds: ['rate_limited'],
  },
  { name: '503', title: 'the answer 503', failure: () => ({ status: 503 }), kinds: ['retryable'] },
  { name: 'timeout', title: 'no answer in time', failure: 'hang', kinds: ['retryable'] },
  { name: 'reset', title: 'a connection that breaks', failure: 'reset', kinds: ['retryable'] },
  {
    name: 'malformed',
    title: 'a body that is cut off',
    failure: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"rejected":[' }),
    kinds: ['retryable'],
    // Other calls may well have no use for the body.
    only: 'add',
  },
];

/** Each way a partner fails must become the kind of fault that the host can act on. */
export const failureChecks: readonly ContractCheck<OutputConnector, OutputFixtures>[] = CASES.map((one) => ({
  name: `${one.title} becomes the right fault`,
  leftOut: (_: OutputConnector, { http }: OutputFixtures) =>
    http ? undefined : 'the output does not use HTTP',
  run: (plugin: OutputConnector, fixtures: OutputFixtures) => checkCase(plugin, fixtures, one),
}));

async function checkCase(plugin: OutputConnector, fixtures: OutputFixtures, one: FailureCase): Promise<void> {
  const kinds = fixtures.http?.expected?.[one.name] ?? one.kinds;
  let requests = 0;
  const timeoutMs = one.failure === 'hang' ? SHORT_TIMEOUT_MS : 5000;
  await OutputRig.with(
    plugin,
    fixtures,
    async (rig) => {
      await rig.audience();
      const { server } = rig;
      ensure(server !== undefined, 'The fixtures have no partner.');
      server.failure = one.failure;
      for (const { name, call } of rig.calls) {
        if (one.only !== undefined && one.only !== name) continue;
        const before = server.requests.length;
        const error = await rig.errorOf(call);
        // A call that asks the partner nothing cannot notice that it fails.
        if (server.requests.length === before) continue;
        requests += 1;
        ensureKind(name, error, kinds);
        if (one.name === '429' && kinds.includes('rate_limited')) ensureWait(name, error);
      }
    },
    { timeoutMs },
  );
  ensure(requests > 0, 'No call of the output asked the partner anything.');
}

function ensureKind(call: string, error: unknown, kinds: readonly FaultKind[]): void {
  const expected = kinds.join(' or ');
  ensure(error !== undefined, `${call} resolved; expected a fault of kind ${expected}.`);
  const kind = isConnectorError(error) ? error.kind : 'unexpected';
  ensure(kinds.includes(kind), `${call} ended as ${kind}; expected ${expected}.`);
}

function ensureWait(call: string, error: unknown): void {
  const waitMs = isConnectorError(error) ? error.retryAfterMs : undefined;
  ensure(
    waitMs === RETRY_AFTER_SECONDS * 1000,
    `${call} tells to wait ${waitMs} ms; the partner asked for ${RETRY_AFTER_SECONDS * 1000}.`,
  );
}
