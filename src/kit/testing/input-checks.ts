import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { isConnectorError } from '../fault.js';
import { type ScheduledInput, isSourceChanged } from '../input.js';
import { type ContractCheck, ensure } from './contract-check.js';
import { type InputFixtures, InputRig } from './input-rig.js';
import { describingChecks } from './shared-checks.js';

/** A promise of an input connector. */
export type InputCheck = ContractCheck<ScheduledInput, InputFixtures>;

/** Keys of the check that lists many: more than S3 gives with one page. */
const MANY_KEYS = 1100;
const PUTS_AT_ONCE = 50;
/** Bytes of a file that no stream holds in its buffers. */
const LONG_FILE_BYTES = 8 * 1024 * 1024;

function check(name: string, use: (rig: InputRig) => Promise<void>): InputCheck {
  return { name, run: (plugin, fixtures) => InputRig.with(plugin, fixtures, use) };
}

const listingChecks: readonly InputCheck[] = [
  check('check resolves where the configuration works', (rig) => rig.plugin.check(rig.contextWith())),
  check('an empty source lists nothing', async (rig) => {
    const listed = await rig.list();
    ensure(listed.length === 0, `An empty source lists ${listed.map(({ key }) => key).join(', ')}.`);
  }),
  check('what did not change keeps its key and revision', async (rig) => {
    const first = await rig.listedAfterPut('spring', 'id-1\n');
    const [again, ...others] = await rig.list();
    ensure(others.length === 0, `One key was written; ${others.length + 1} are listed.`);
    ensure(again?.key === first.key, `The key changed from ${first.key} to ${again?.key}.`);
    ensure(
      again.revision === first.revision,
      `The revision changed from ${first.revision} to ${again.revision}.`,
    );
  }),
  check('another content of the same length has another revision under the same key', async (rig) => {
    const first = await rig.listedAfterPut('spring', 'id-1\n');
    const second = await rig.listedAfterPut('spring', 'id-2\n');
    ensure(first.revision !== second.revision, `Both contents have the revision ${first.revision}.`);
  }),
  check('size, time and audience of a file are told', async (rig) => {
    const file = await rig.listedAfterPut('spring', 'id-1\n');
    ensure(file.sizeBytes === 5, `A file of 5 bytes is listed with ${file.sizeBytes}.`);
    ensure(file.audienceName === 'spring', `The audience "spring" is listed as "${file.audienceName}".`);
    const ageMs = Date.now() - file.modifiedAt.getTime();
    ensure(
      Math.abs(ageMs) < 3_600_000,
      `A file of just now is listed as of ${file.modifiedAt.toISOString()}.`,
    );
  }),
  check(`${MANY_KEYS} keys are each listed once`, async (rig) => {
    const keys = Array.from({ length: MANY_KEYS }, (_, index) => rig.fixtures.keyOf(`audience-${index}`));
    for (let start = 0; start < keys.length; start += PUTS_AT_ONCE) {
      await Promise.all(keys.slice(start, start + PUTS_AT_ONCE).map((key) => rig.source.put(key, 'id-1\n')));
    }
    const listed = (await rig.list()).map(({ key }) => key);
    ensure(listed.length === MANY_KEYS, `${MANY_KEYS} keys were written; ${listed.length} are listed.`);
    ensure(new Set(listed).size === MANY_KEYS, 'A key is listed twice.');
  }),
  check('names with spaces, emoji and %2F are taken literally', async (rig) => {
    for (const name of ['two words', 'été 🎯', 'a%2Fb', 'plus+and&', "it's"]) {
      const file = await rig.listedAfterPut(name, `${name}\n`);
      ensure(file.audienceName === name, `The audience "${name}" is listed as "${file.audienceName}".`);
      ensure(
        (await rig.read(file)).toString() === `${name}\n`,
        `The file of "${name}" was read as something else.`,
      );
    }
  }),
];

const openingChecks: readonly InputCheck[] = [
  check('bytes are handed over untouched: BOM, CRLF, UTF-16 and NUL', async (rig) => {
    const bodies = {
      bom: Buffer.from('\uFEFFid\r\n1\r\n'),
      utf16: Buffer.from('\uFEFFid\r\n1\r\n', 'utf16le'),
      nul: Buffer.from([0, 1, 0xff, 0xfe, 13, 10, 0]),
      empty: Buffer.alloc(0),
    };
    for (const [name, body] of Object.entries(bodies)) {
      const read = await rig.read(await rig.listedAfterPut(name, body));
      ensure(
        read.equals(body),
        `The file "${name}" of ${body.length} bytes was read as ${read.length} other bytes.`,
      );
    }
  }),
  check('a file that was replaced before it is read is refused', async (rig) => {
    const file = await rig.listedAfterPut('spring', 'id-1\n');
    await rig.source.put(file.key, 'id-2\n');
    ensureChanged(await rig.errorOf(() => rig.read(file)));
  }),
  check('a file that is gone before it is read is refused', async (rig) => {
    const file = await rig.listedAfterPut('spring', 'id-1\n');
    await rig.source.delete(file.key);
    ensureChanged(await rig.errorOf(() => rig.read(file)));
  }),
  check('a file that is replaced while it is read never comes as a mixture', async (rig) => {
    const before = Buffer.alloc(LONG_FILE_BYTES, 'a');
    const file = await rig.listedAfterPut('long', before);
    const stream = await rig.plugin.open(rig.contextWith(), file);
    const chunks: Buffer[] = [];
    const error = await rig.errorOf(async () => {
      for await (const chunk of stream) {
        if (chunks.length === 0) await rig.source.put(file.key, Buffer.alloc(LONG_FILE_BYTES, 'b'));
        chunks.push(Buffer.from(chunk as Uint8Array));
      }
    });
    if (error === undefined)
      ensure(Buffer.concat(chunks).equals(before), 'A mixture of two contents was read as one.');
    else ensureChanged(error);
  }),
];

const otherChecks: readonly InputCheck[] = [
  check('an aborted visit rejects', async (rig) => {
    await rig.source.put(rig.fixtures.keyOf('spring'), 'id-1\n');
    rig.abort.abort();
    ensure(
      (await rig.errorOf(() => rig.list())) !== undefined,
      'list went on although its signal was aborted.',
    );
  }),
  check('a read that is aborted under way rejects', async (rig) => {
    const file = await rig.listedAfterPut('long', Buffer.alloc(LONG_FILE_BYTES, 'a'));
    const stream = await rig.plugin.open(rig.contextWith(), file);
    let sizeBytes = 0;
    const error = await rig.errorOf(async () => {
      for await (const chunk of stream) {
        sizeBytes += (chunk as Uint8Array).length;
        rig.abort.abort();
        await nextTurn();
      }
    });
    ensure(error !== undefined, `All ${sizeBytes} bytes were read although the signal was aborted.`);
  }),
  {
    name: 'a source that cannot work becomes the right fault',
    leftOut: (_, { broken }) => (broken?.length ? undefined : 'the fixtures name no broken settings'),
    run: (plugin, fixtures) =>
      InputRig.with(plugin, fixtures, async (rig) => {
        for (const { title, settings, kind } of fixtures.broken ?? []) {
          const ctx = rig.contextWith(settings);
          ensureKind(`${title}: check`, await rig.errorOf(() => plugin.check(ctx)), kind);
          const visit = async () => {
            for await (const file of plugin.trigger.list(ctx)) rig.evidence.note('a listed key', file.key);
          };
          ensureKind(`${title}: list`, await rig.errorOf(visit), kind);
        }
      }),
  },
  {
    name: 'secrets appear in no log line, URL, fault or listed key',
    leftOut: (_, fixtures) =>
      JSON.stringify(fixtures.credentials('canary')).includes('canary')
        ? undefined
        : 'these fixtures have no secret',
    run: (plugin, fixtures) =>
      InputRig.with(plugin, fixtures, async (rig) => {
        const file = await rig.listedAfterPut('spring', 'id-1\n');
        for (const listed of await rig.list()) rig.evidence.note('a listed key', JSON.stringify(listed));
        await rig.read(file);
        await rig.source.delete(file.key);
        await rig.errorOf(() => rig.read(file));
        for (const { settings } of fixtures.broken ?? []) {
          await rig.errorOf(() => plugin.check(rig.contextWith(settings)));
        }
        const place = rig.evidence.placeOf(rig.canary);
        ensure(place === undefined, `A secret appears in ${place}.`);
      }),
  },
];

/** All promises of an input connector, by name. */
export const inputChecks: readonly InputCheck[] = [
  ...(describingChecks as readonly InputCheck[]),
  ...listingChecks,
  ...openingChecks,
  ...otherChecks,
];

function ensureChanged(error: unknown): void {
  ensure(error !== undefined, 'The file changed, yet it was read as if it had not.');
  ensure(isSourceChanged(error), `Expected a SourceChangedError, got ${inspect(error)}.`);
}

function ensureKind(call: string, error: unknown, expected: string): void {
  const kind = isConnectorError(error) ? error.kind : error === undefined ? 'nothing' : 'unexpected';
  ensure(kind === expected, `${call} ended as ${kind}; expected ${expected}.`);
}
