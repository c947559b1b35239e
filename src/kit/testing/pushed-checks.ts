import { isConnectorError } from '../fault.js';
import type { PushedInput } from '../input.js';
import { type ContractCheck, ensure } from './contract-check.js';
import { type Prove, PushedRig, type PushedFixtures, type WebhookFixtures } from './pushed-rig.js';
import { describingChecks } from './shared-checks.js';

/** A promise of an input whose files are sent to the hub. */
export type PushedCheck = ContractCheck<PushedInput, PushedFixtures>;

type Proof = 'sign' | 'bearer';

const PATH = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const BODY = Buffer.from('id\n1\n');
/** A byte order mark, CRLF, NUL, and bytes that are no UTF-8. */
const ODD_BODY = Buffer.concat([Buffer.from('\uFEFFid\r\n1\r\n\0'), Buffer.from([0xff, 0xfe])]);
const HOUR_MS = 3_600_000;

/** A check of a webhook, left out where the fixtures have nothing for it. */
function check(
  name: string,
  run: (rig: PushedRig) => Promise<void>,
  leftOut?: (webhook: WebhookFixtures) => string | undefined,
): PushedCheck {
  return {
    name,
    leftOut: ({ trigger }, { webhook }) => {
      if (trigger.type === 'upload') return 'its files come through the hub’s own API';
      return webhook && leftOut?.(webhook);
    },
    run: (plugin, fixtures) => run(new PushedRig(plugin, fixtures)),
  };
}

/** A check of one sort of proof. */
function proofCheck(proof: Proof, name: string, run: (rig: PushedRig, prove: Prove<never>) => Promise<void>) {
  const none =
    proof === 'sign' ? 'the webhook knows no signatures' : 'the webhook knows no secret in a header';
  const use = async (rig: PushedRig) => {
    const prove = rig.webhook[proof];
    if (prove !== undefined) await run(rig, prove);
  };
  return check(name, use, (webhook) => (webhook[proof] === undefined ? none : undefined));
}

const senderChecks: readonly PushedCheck[] = [
  check('its address and its limit are declared', async ({ trigger, plugin, fixtures }) => {
    ensure(PATH.test(trigger.path), `The path "${trigger.path}" is not like "acme/segments".`);
    const maxBytes = trigger.maxBytes(plugin.settings.parse(fixtures.settings));
    ensure(Number.isSafeInteger(maxBytes) && maxBytes > 0, `The largest body is ${maxBytes} bytes.`);
    return Promise.resolve();
  }),
  check('some proof of the sender is known', async ({ webhook }) => {
    const known = webhook.sign !== undefined || webhook.bearer !== undefined;
    ensure(known, 'Anybody could send: give fixtures.webhook.sign or bearer.');
    return Promise.resolve();
  }),
  check('a request without proof is refused', async (rig) => {
    await ensureRefused(rig, 'A request without proof', () => rig.verify({ headers: {}, query: {} }, BODY));
  }),
  proofCheck(
    'sign',
    'a signed body is taken as the bytes it is: BOM, CRLF and NUL, in any chunks',
    async (rig, sign) => {
      const head = rig.headersOf(sign, ODD_BODY);
      for (const chunkBytes of [1, 3, ODD_BODY.length]) await rig.verify(head, ODD_BODY, chunkBytes);
      const text = ODD_BODY.toString('latin1');
      for (const other of [text.replaceAll('\r\n', '\n'), text.slice(3), text.replaceAll('\0', '')]) {
        await ensureRefused(rig, 'A body other than the signed one', () =>
          rig.verify(head, Buffer.from(other, 'latin1')),
        );
      }
    },
  ),
  proofCheck('sign', 'a bad signature is refused', async (rig, sign) => {
    const others = [Buffer.from('id\n2\n'), Buffer.alloc(0), Buffer.concat([BODY, BODY])];
    for (const other of others) {
      await ensureRefused(rig, 'The signature of another body', () =>
        rig.verify(rig.headersOf(sign, BODY), other),
      );
    }
    const stranger = rig.headersOf(sign, BODY, 'the-secret-of-somebody-else');
    await ensureRefused(rig, 'A signature with another secret', () => rig.verify(stranger, BODY));
  }),
  proofCheck('sign', 'an old signature is refused', async (rig, sign) => {
    for (const offMs of [-HOUR_MS, HOUR_MS]) {
      const head = rig.headersOf(sign, BODY, rig.canary, new Date(rig.now.getTime() + offMs));
      await ensureRefused(rig, 'A signature that is an hour off', () => rig.verify(head, BODY));
    }
  }),
  proofCheck('sign', 'a repeated request is known by its id', async (rig, sign) => {
    const idOf = (body: Buffer) => rig.verify(rig.headersOf(sign, body), body);
    const first = await idOf(BODY);
    ensure(first !== undefined, 'A signed request has no id: somebody could send it again.');
    ensure((await idOf(BODY)) === first, 'The same request has another id each time.');
    ensure((await idOf(ODD_BODY)) !== first, 'Two requests with different bodies have the same id.');
  }),
  proofCheck('bearer', 'a secret in a header is compared whole', async (rig, bearer) => {
    await rig.verify(rig.headersOf(bearer, BODY), BODY);
    for (const other of [`${rig.canary}x`, rig.canary.slice(0, -1), 'the-secret-of-somebody-else']) {
      await ensureRefused(rig, 'Another secret', () => rig.verify(rig.headersOf(bearer, BODY, other), BODY));
    }
  }),
];

const fileChecks: readonly PushedCheck[] = [
  check('the same audience has the same key, and another one another', async (rig) => {
    const keyOf = async (name: string) => (await rig.receive(rig.webhook.requestOf(name))).key;
    const key = await keyOf('spring');
    ensure(key === (await keyOf('spring')), 'The key of one audience changes from request to request.');
    ensure(key !== (await keyOf('autumn')), `Two audiences have the key ${key}.`);
  }),
  check('names of pushed audiences are taken literally', async (rig) => {
    for (const name of ['spring', 'two words', 'été 🎯', 'a%2Fb', 'plus+and&', "it's", 'with_underscores_']) {
      const { audienceName } = await rig.receive(rig.webhook.requestOf(name));
      ensure(audienceName === name, `The audience "${name}" is called "${audienceName}".`);
    }
  }),
  {
    ...check('a request of which nothing can become is refused with what was expected', async (rig) => {
      for (const { title, request } of rig.webhook.refused) {
        const error = await rig.errorOf(() => rig.receive(request));
        const kind = isConnectorError(error) ? error.kind : error === undefined ? 'nothing' : 'unexpected';
        ensure(
          kind === 'permanent' || kind === 'config',
          `${title}: ended as ${kind}; expected permanent or config.`,
        );
      }
    }),
    leftOut: ({ trigger }, { webhook }) =>
      trigger.type === 'webhook' && webhook?.refused.length ? undefined : 'the fixtures name no such request',
  },
  check('secrets of a webhook appear in no log line, fault or key', async (rig) => {
    const { webhook } = rig;
    for (const prove of [webhook.sign, webhook.bearer]) {
      if (prove === undefined) continue;
      await rig.verify(rig.headersOf(prove, BODY), BODY);
      await rig.errorOf(() => rig.verify(rig.headersOf(prove, ODD_BODY, `${rig.canary}x`), BODY));
    }
    await rig.receive(webhook.requestOf('spring'));
    for (const { request } of webhook.refused) await rig.errorOf(() => rig.receive(request));
    const place = rig.evidence.placeOf(rig.canary);
    ensure(place === undefined, `A secret appears in ${place}.`);
  }),
];

/** All promises of an input whose files are sent to the hub, by name. */
export const pushedChecks: readonly PushedCheck[] = [
  ...(describingChecks as readonly PushedCheck[]),
  ...senderChecks,
  ...fileChecks,
];

async function ensureRefused(rig: PushedRig, what: string, call: () => Promise<unknown>): Promise<void> {
  const error = await rig.errorOf(call);
  const kind = isConnectorError(error) ? error.kind : error === undefined ? 'nothing' : 'unexpected';
  ensure(kind === 'auth', `${what} ended as ${kind}; expected a fault "auth".`);
}
