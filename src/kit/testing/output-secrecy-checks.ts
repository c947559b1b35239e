import type { OutputConnector } from '../output.js';
import { type ContractCheck, ensure } from './contract-check.js';
import { type OutputFixtures, OutputRig } from './output-rig.js';
import type { PartnerRequest } from './partner-server.js';

/** Secrets and people's data must not be said: the partner of these checks quotes everything it is sent. */
export const secrecyChecks: readonly ContractCheck<OutputConnector, OutputFixtures>[] = [
  {
    name: 'secrets appear in no log line, URL or fault',
    leftOut: (_, fixtures) => {
      const given = JSON.stringify(fixtures.credentials('canary'));
      return given.includes('canary') ? undefined : 'these fixtures have no secret';
    },
    run: (plugin, fixtures) =>
      withTalk(plugin, fixtures, (rig) => {
        const place = rig.evidence.placeOf(rig.canary);
        ensure(place === undefined, `A secret appears in ${place}.`);
      }),
  },
  {
    name: "people's identities appear in no log line, URL or fault",
    run: (plugin, fixtures) =>
      withTalk(plugin, fixtures, (rig) => {
        const values = rig.batch(3).members.flatMap(({ identities }) => Object.values(identities).flat());
        for (const value of values) {
          const place = rig.evidence.placeOf(value);
          ensure(place === undefined, `An identity of a member appears in ${place}.`);
        }
      }),
  },
];

/** Runs every call against a partner that works, and against ones that refuse and quote the request. */
async function withTalk(
  plugin: OutputConnector,
  fixtures: OutputFixtures,
  look: (rig: OutputRig) => void,
): Promise<void> {
  await OutputRig.with(plugin, fixtures, async (rig) => {
    await rig.audience();
    for (const status of [undefined, 400, 401, 500, 200]) {
      if (rig.server && status !== undefined) rig.server.failure = (request) => quoting(status, request);
      for (const { call } of rig.calls) await rig.errorOf(call);
    }
    look(rig);
  });
}

function quoting(status: number, { url, headers, body }: PartnerRequest) {
  return { status, body: `Cannot take ${url} with ${Object.values(headers).join(' ')} and ${body}` };
}
