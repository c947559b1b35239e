import {
  asBatch,
  batchIdOf,
  namesOf,
  PartnerCalls,
  sendBatch,
  settleWhenWritten,
  type BatchRejects,
  type Turn,
} from '../../host/outputs/index.js';
import { ConnectorError, type PartnerAudience } from '../../kit/index.js';
import type { MemberOutcome } from '../../platform/database/index.js';
import type { IdentityRange } from '../ledger/index.js';
import type { Step } from './chunk-reader.js';

/**
 * What became of one step. Everybody of its chunk who is not in `exceptions` was accepted. The chunk itself is not
 * kept: it may be a while until this is written down.
 */
export interface FinishedStep extends Pick<Step, 'operation' | 'cursorAfter'> {
  firstMpid: string;
  lastMpid: string;
  batchId: string;
  /** Members that the partner was told of. */
  sent: number;
  accepted: number;
  exceptions: MemberOutcome[];
}

/** What a delivery goes between. */
export interface DeliveryRange {
  fromVersion: number;
  toVersion: number;
  identities: IdentityRange;
  /** How often the audience was made anew at the partner. */
  relinks: number;
  /** Of a delivery that sends members again: its id, which tells it from others between the same versions. */
  again?: string;
  /** Whether it takes away all that was sent. */
  isRemoval?: boolean;
}

/** Why members were not sent; in docs/faults.md. */
const NO_ACCEPTED_IDENTITY = 'The member has none of the identities that the output accepts.';
const REMOVE_UNSUPPORTED = 'The output cannot remove members; this one stays in the partner’s audience.';

const KEPT = {
  SHARED_LIST:
    'Another connection has the member in the same list at the partner. Whichever of them drops it last takes it out.',
  SHARED_IDENTITY:
    'All that the partner knows the member by is known of somebody else who is there, and would take them out too.',
} as const;

/** Takes steps to the partner. Throws ConnectorErrors, none of them `permanent`. */
export class PartnerSide {
  constructor(
    readonly calls: PartnerCalls,
    private readonly audience: PartnerAudience,
    private readonly range: DeliveryRange,
  ) {}

  /** @param turn what the first request waits for */
  async send(step: Step, turn?: Turn): Promise<FinishedStep> {
    const { operation, chunk, cursorAfter, kept = [] } = step;
    const { firstMpid, lastMpid, members } = chunk;
    const connectionId = this.calls.line.connectionId;
    const batchId = batchIdOf({
      connectionId,
      ...this.versions,
      ...this.runOf(step),
      operation,
      firstMpid,
      lastMpid,
    });
    const about = { operation, cursorAfter, firstMpid, lastMpid, batchId };
    const skipped = [
      ...chunk.skipped.map((mpid) => skip(mpid, 'NO_ACCEPTED_IDENTITY', NO_ACCEPTED_IDENTITY)),
      ...kept.map(({ mpid, because }) => skip(mpid, because, KEPT[because])),
    ];
    if (operation === 'remove' && !this.calls.line.connector.audience.remove) {
      skipped.push(
        ...members.members.map(({ mpid }) => skip(mpid, 'REMOVE_UNSUPPORTED', REMOVE_UNSUPPORTED)),
      );
      return { ...about, sent: 0, accepted: 0, exceptions: skipped };
    }
    if (members.size === 0) return { ...about, sent: 0, accepted: 0, exceptions: skipped };
    const rejected =
      operation === 'replace' ? await this.writePart(step, batchId, turn) : await this.change(step, turn);
    return {
      ...about,
      sent: members.size,
      accepted: rejected.reduce((left, { count = 1 }) => left - count, members.size),
      exceptions: [...skipped, ...rejected],
    };
  }

  /** Makes the whole state that was written the partner's. */
  async finish(parts: number, members: number): Promise<void> {
    const { replace } = this.calls.line.connector.audience;
    if (!replace) return;
    const whole = { toVersion: this.range.toVersion, parts, members };
    await stopOnRefusal(this.calls.call((ctx) => replace.finish(ctx, this.audience, whole)));
  }

  /** Tells the partner's side that everything was sent. */
  async delivered(): Promise<void> {
    const partner = this.calls.line.connector.audience;
    if (partner.delivered === undefined) return;
    await stopOnRefusal(this.calls.call(async (ctx) => partner.delivered?.(ctx, this.audience)));
  }

  private get versions() {
    const { fromVersion, toVersion } = this.range;
    return { fromVersion, toVersion };
  }

  /** Members may go out twice between the same versions, and all of them to a list that was made anew. */
  private runOf({ operation, without, chunk }: Step): { run?: string } {
    const { identities, relinks, again, isRemoval } = this.range;
    const run = [
      ...(isRemoval ? ['removal'] : []),
      ...(operation === 'add_identities' ? [`identities ${identities.after}-${identities.upTo}`] : []),
      ...(relinks > 0 ? [`link ${relinks}`] : []),
      ...(again === undefined ? [] : [`again ${again}`]),
      // Who is kept may be another one when it is tried again, and then it is another batch.
      ...(without === undefined ? [] : [`without ${without}`]),
      // So may be who has nothing that the output accepts: somebody learns it meanwhile, and is in the batch then.
      ...(chunk.skipped.length === 0 ? [] : [`skipped ${namesOf(chunk.skipped)}`]),
    ].join(' ');
    return run === '' ? {} : { run };
  }

  private async change(step: Step, turn?: Turn): Promise<MemberOutcome[]> {
    const { operation, chunk } = step;
    const change = operation === 'remove' ? 'remove' : 'add';
    const shipment = {
      audience: this.audience,
      operation: change,
      ...this.versions,
      ...this.runOf(step),
      ...(turn ? { turn } : {}),
    } as const;
    return outcomesOf(await sendBatch(this.calls, shipment, chunk.members), chunk);
  }

  private async writePart({ chunk, part }: Step, batchId: string, turn?: Turn): Promise<MemberOutcome[]> {
    const { replace } = this.calls.line.connector.audience;
    if (!replace) throw new ConnectorError('config', 'REPLACE_UNSUPPORTED', REPLACE_GONE);
    const batch = asBatch(chunk.members, { id: batchId, ...this.versions });
    const rejects = await stopOnRefusal(
      this.calls.callBatch(
        batch,
        async (ctx) => ({
          status: 'done',
          rejected: (await replace.write(ctx, this.audience, batch, part)) ?? [],
        }),
        turn,
      ),
    );
    settleWhenWritten(chunk.members, this.calls.line);
    return outcomesOf(rejects, chunk);
  }
}

const REPLACE_GONE =
  'The delivery was begun as a whole state, which the plugin no longer takes. Put the former version of the ' +
  'plugin back, or delete the connection and make it again.';

function outcomesOf({ rejected, unnamed }: BatchRejects, { members }: Step['chunk']): MemberOutcome[] {
  const status = 'rejected' as const;
  return [
    ...rejected.map(({ index, code, message }) => ({
      mpid: members.members[index]?.mpid ?? '',
      status,
      code,
      message,
    })),
    ...unnamed.map(({ count, code, message }) => ({ mpid: null, count, status, code, message })),
  ];
}

function skip(mpid: string, code: string, message: string): MemberOutcome {
  return { mpid, status: 'skipped', code, message };
}

/** A refusal of something that is no batch of members cannot be blamed on rows: somebody has to mend it. */
export async function stopOnRefusal<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw error;
    throw new ConnectorError('config', error.code, error.message);
  }
}
