import { isDeepStrictEqual } from 'node:util';
import type { OutputConnector, RejectedMember } from '../output.js';
import { nameProblems, namingOf } from '../naming.js';
import { type ContractCheck, ensure } from './contract-check.js';
import { failureChecks } from './output-failure-checks.js';
import { type OutputFixtures, OutputRig } from './output-rig.js';
import { secrecyChecks } from './output-secrecy-checks.js';
import { describingChecks } from './shared-checks.js';

/** A promise of an output connector. */
export type OutputCheck = ContractCheck<OutputConnector, OutputFixtures>;

const batchChecks: readonly OutputCheck[] = [
  {
    name: 'check resolves where the configuration works',
    run: (plugin, fixtures) => OutputRig.with(plugin, fixtures, (rig) => plugin.check(rig.context)),
  },
  {
    name: 'a full batch goes out in one request',
    leftOut: (_, { http }) => (http ? undefined : 'the output does not use HTTP'),
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        const { rejected } = await rig.add(rig.batch(rig.batchSize));
        const sizes = (rig.server?.requests ?? []).map((request) => fixtures.http?.membersIn(request) ?? 0);
        const carrying = sizes.filter((size) => size > 0);
        ensure(
          carrying.length === 1 && carrying[0] === rig.batchSize,
          `A batch of ${rig.batchSize} went out as requests of ${carrying.join(', ') || 'no'} members.`,
        );
        ensure(
          rejected.length === 0,
          `The stand-in accepts everybody, yet ${rejected.length} count as rejected.`,
        );
      }),
  },
  {
    name: 'an empty batch sends nothing',
    leftOut: wholeStates,
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        await rig.audience();
        const before = rig.sends;
        const results = [await rig.add(rig.batch(0))];
        if (plugin.audience.remove) results.push(await rig.remove(rig.batch(0)));
        ensure(rig.sends === before, `Empty batches led to ${rig.sends - before} requests or writes.`);
        ensure(
          results.every(({ rejected }) => rejected.length === 0),
          'An empty batch came back with rejected members.',
        );
      }),
  },
  {
    name: 'adding a batch twice equals adding it once',
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        const batch = rig.batch(Math.min(5, rig.batchSize));
        const before = snapshotOf(rig);
        await rig.add(batch);
        const once = snapshotOf(rig);
        await rig.add(batch);
        ensure(!isDeepStrictEqual(before, once), 'Adding a batch changed nothing at the stand-in.');
        ensure(
          isDeepStrictEqual(once, snapshotOf(rig)),
          'The second add of the same batch changed the state again.',
        );
      }),
  },
  {
    name: 'removing a batch takes out what adding it put in, and twice equals once',
    leftOut: (plugin, fixtures) => {
      if (!plugin.audience.remove) return 'the output cannot remove';
      return fixtures.http ? undefined : 'the output keeps a record of changes, not a membership';
    },
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        await rig.audience();
        const before = snapshotOf(rig);
        const size = Math.min(5, rig.batchSize);
        await rig.add(rig.batch(size, 'batch-1'));
        await rig.remove(rig.batch(size, 'batch-2'));
        ensure(
          isDeepStrictEqual(before, snapshotOf(rig)),
          'Members are left at the stand-in after their removal.',
        );
        await rig.remove(rig.batch(size, 'batch-2'));
        ensure(isDeepStrictEqual(before, snapshotOf(rig)), 'The second removal changed the state again.');
      }),
  },
  {
    name: 'rejected members are named by their index in the batch',
    leftOut: (_, { http }) => (http?.partnerRejecting ? undefined : 'the partner rejects no single members'),
    run: (plugin, fixtures) => {
      const partner = fixtures.http?.partnerRejecting?.([1, 3]);
      ensure(partner !== undefined, 'The fixtures have no partnerRejecting.');
      return OutputRig.with(
        plugin,
        fixtures,
        async (rig) => {
          const { rejected } = await rig.add(rig.batch(5));
          ensureIndexes(rejected, 5);
          const indexes = rejected.map(({ index }) => index);
          ensure(
            isDeepStrictEqual(new Set(indexes), new Set([1, 3])),
            `Members 1 and 3 were refused; reported: ${indexes.join(', ')}.`,
          );
        },
        { partner },
      );
    },
  },
];

const attributeChecks: readonly OutputCheck[] = [
  {
    name: 'attributes that are shared reach the partner, and count as accepted',
    leftOut: (plugin, fixtures) => {
      if (plugin.attributes !== 'optional') return 'the output takes no attributes';
      return 'standIn' in fixtures ? 'the stand-in shows what it holds, not what it was sent' : undefined;
    },
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        rig.shares = true;
        const { rejected } = await rig.add(rig.batch(3));
        const sent = [
          ...(rig.server?.requests ?? []).map(({ body }) => body),
          JSON.stringify(rig.destination.texts()),
        ];
        const { name, value } = rig.attribute;
        for (const part of [name, value]) {
          ensure(
            sent.some((text) => text.includes(part)),
            `Members had the attribute ${name}, but neither a request nor a file has its name and value.`,
          );
        }
        ensure(rejected.length === 0, `${rejected.length} members were rejected because of an attribute.`);
      }),
  },
];

const deletionChecks: readonly OutputCheck[] = [
  {
    name: 'deleting the audience twice equals deleting it once, and takes the members where it says so',
    leftOut: (plugin, fixtures) => {
      if (!plugin.audience.delete) return 'the output deletes no audiences';
      return wholeStates(plugin, fixtures) ? 'the output takes whole states' : undefined;
    },
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        const empty = snapshotOf(rig);
        const audience = await rig.audience();
        const batch = rig.batch(Math.min(5, rig.batchSize));
        await rig.add(batch);
        const takes = plugin.audience.deleteTakesMembers?.(rig.context) ?? false;
        if (!takes && plugin.audience.remove) await rig.remove({ ...batch, id: 'batch-2' });
        await plugin.audience.delete?.(rig.context, audience);
        const once = snapshotOf(rig);
        if (takes) ensure(isDeepStrictEqual(once, empty), 'The deletion left something at the stand-in.');
        await plugin.audience.delete?.(rig.context, audience);
        ensure(isDeepStrictEqual(once, snapshotOf(rig)), 'The second deletion changed the state again.');
      }),
  },
];

const abortChecks: readonly OutputCheck[] = [
  {
    name: 'an aborted call sends nothing and rejects',
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        await rig.audience();
        const before = rig.sends;
        rig.abort.abort();
        const error = await rig.errorOf(() => rig.add(rig.batch(3)));
        ensure(error !== undefined, 'add resolved although its signal was aborted before the call.');
        ensure(rig.sends === before, `${rig.sends - before} requests or writes were made after the abort.`);
      }),
  },
  {
    name: 'a call that is aborted under way rejects at once',
    leftOut: (_, { http }) => (http ? undefined : 'the output does not use HTTP'),
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        await rig.audience();
        const { server } = rig;
        ensure(server !== undefined, 'The fixtures have no partner.');
        server.failure = 'hang';
        const arrived = server.nextRequest();
        const outcome = rig.errorOf(() => rig.add(rig.batch(3)));
        await Promise.race([arrived, outcome]);
        rig.abort.abort();
        const error = await Promise.race([outcome, afterMs(2000)]);
        ensure(error !== 'late', 'add still ran two seconds after its signal was aborted.');
        ensure(
          error !== undefined,
          'add resolved although the partner never answered and the signal was aborted.',
        );
      }),
  },
];

const wholeStateChecks: readonly OutputCheck[] = [
  {
    name: 'finishing a whole state twice equals finishing it once',
    leftOut: (plugin, fixtures) => (wholeStates(plugin, fixtures) ? undefined : 'the output takes changes'),
    run: (plugin, fixtures) =>
      OutputRig.with(plugin, fixtures, async (rig) => {
        const audience = await rig.audience();
        const { replace } = plugin.audience;
        ensure(replace !== undefined, 'The output has no replace.');
        const batch = rig.batch(3);
        const whole = { toVersion: batch.toVersion, parts: 2, members: 6 };
        // A crash repeats the part it was in.
        for (const part of [0, 0, 1]) await replace.write(rig.context, audience, batch, part);
        await replace.finish(rig.context, audience, whole);
        const once = snapshotOf(rig);
        await replace.finish(rig.context, audience, whole);
        ensure(isDeepStrictEqual(once, snapshotOf(rig)), 'The second finish changed the state again.');
      }),
  },
];

/** All promises of an output connector, by name. */
export const outputChecks: readonly OutputCheck[] = [
  ...(describingChecks as readonly OutputCheck[]),
  {
    name: 'batch size and identities are declared',
    async run({ identities, limits }) {
      ensure(
        Number.isInteger(limits.batchSize) && limits.batchSize > 0,
        'limits.batchSize is no whole number above 0.',
      );
      ensure(identities.length > 0, 'An output that accepts no identities never sends anybody.');
      const forms = identities.map(
        ({ type, encoding, profile }) => `${type} as ${encoding} ${profile ?? ''}`,
      );
      ensure(new Set(forms).size === forms.length, `An identity is declared twice: ${forms.join(', ')}.`);
      return Promise.resolve();
    },
  },
  {
    name: 'the rule for names can be applied, and does not refuse every name',
    leftOut: (plugin) =>
      plugin.naming || 'namingFor' in plugin ? undefined : 'the output has no rule for names',
    async run(plugin, fixtures) {
      const rule = namingOf(plugin, OutputRig.contextFor(plugin, fixtures).settings);
      const problems = rule === undefined ? [] : nameProblems(rule, 'Spring');
      ensure(problems.length === 0, `The name Spring would be refused: it ${problems.join(' and ')}.`);
      return Promise.resolve();
    },
  },
  ...batchChecks,
  ...attributeChecks,
  ...deletionChecks,
  ...abortChecks,
  ...wholeStateChecks,
  ...failureChecks,
  ...secrecyChecks,
];

function ensureIndexes(rejected: readonly RejectedMember[], size: number): void {
  const indexes = rejected.map(({ index }) => index);
  const strangers = indexes.filter((index) => !Number.isInteger(index) || index < 0 || index >= size);
  ensure(strangers.length === 0, `Rejected indexes outside a batch of ${size}: ${strangers.join(', ')}.`);
  ensure(new Set(indexes).size === indexes.length, `A member is rejected twice: ${indexes.join(', ')}.`);
}

/** The reason to leave out what only deltas have, where these fixtures make the output take whole states. */
function wholeStates(plugin: OutputConnector, fixtures: OutputFixtures): string | undefined {
  const { replace } = plugin.audience;
  return replace?.wanted(OutputRig.contextFor(plugin, fixtures))
    ? 'the output takes whole states'
    : undefined;
}

function snapshotOf(rig: OutputRig): unknown {
  return structuredClone(rig.state);
}

async function afterMs(milliseconds: number): Promise<'late'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('late'), milliseconds).unref();
  });
}
