import { PartnerCalls, batchIdOf, sendBatch } from '../../host/outputs/index.js';
import { ConnectorError, type PartnerAudience } from '../../kit/index.js';
import type { MemberOutcome } from '../../platform/database/index.js';
import type { Step } from './chunk-reader.js';

/** What became of one step. Everybody of its chunk who is not in `exceptions` was accepted. */
export interface FinishedStep {
  step: Step;
  batchId: string;
  accepted: number;
  exceptions: MemberOutcome[];
}

/** The versions that a delivery goes between. */
export interface VersionRange {
  fromVersion: number;
  toVersion: number;
}

/** Why members were not sent; in docs/faults.md. */
const NO_ACCEPTED_IDENTITY = 'The member has none of the identities that the output accepts.';
const REMOVE_UNSUPPORTED = 'The output cannot remove members; this one stays in the partner’s audience.';

/** Takes steps to the partner. Throws ConnectorErrors, none of them `permanent`. */
export class PartnerSide {
  constructor(
    private readonly calls: PartnerCalls,
    private readonly audience: PartnerAudience,
    private readonly versions: VersionRange,
  ) {}

  async send(step: Step): Promise<FinishedStep> {
    const { operation, chunk } = step;
    const { firstMpid, lastMpid, members } = chunk;
    const connectionId = this.calls.line.connectionId;
    const batchId = batchIdOf({ connectionId, ...this.versions, operation, firstMpid, lastMpid });
    const skipped = chunk.skipped.map((mpid) => skip(mpid, 'NO_ACCEPTED_IDENTITY', NO_ACCEPTED_IDENTITY));
    if (operation === 'remove' && !this.calls.line.connector.audience.remove) {
      skipped.push(...members.map(({ mpid }) => skip(mpid, 'REMOVE_UNSUPPORTED', REMOVE_UNSUPPORTED)));
      return { step, batchId, accepted: 0, exceptions: skipped };
    }
    if (members.length === 0) return { step, batchId, accepted: 0, exceptions: skipped };
    const rejected = operation === 'replace' ? await this.writePart(step, batchId) : await this.change(step);
    return {
      step,
      batchId,
      accepted: members.length - rejected.length,
      exceptions: [...skipped, ...rejected],
    };
  }

  /** Makes the whole state that was written the partner's. */
  async finish(parts: number, members: number): Promise<void> {
    const { replace } = this.calls.line.connector.audience;
    if (!replace) return;
    const whole = { toVersion: this.versions.toVersion, parts, members };
    await stopOnRefusal(this.calls.call((ctx) => replace.finish(ctx, this.audience, whole)));
  }

  private async change({ operation, chunk }: Step): Promise<MemberOutcome[]> {
    const change = operation === 'remove' ? 'remove' : 'add';
    const shipment = { audience: this.audience, operation: change, ...this.versions } as const;
    const { rejected } = await sendBatch(this.calls, shipment, chunk.members);
    return rejected.map(({ index, code, message }) => ({
      mpid: chunk.members[index]?.mpid ?? '',
      status: 'rejected',
      code,
      message,
    }));
  }

  private async writePart({ chunk, part }: Step, batchId: string): Promise<MemberOutcome[]> {
    const { replace } = this.calls.line.connector.audience;
    if (!replace) throw new ConnectorError('config', 'REPLACE_UNSUPPORTED', REPLACE_GONE);
    const batch = { id: batchId, members: chunk.members, ...this.versions };
    await stopOnRefusal(this.calls.call((ctx) => replace.write(ctx, this.audience, batch, part)));
    return [];
  }
}

const REPLACE_GONE =
  'The delivery was begun as a whole state, which the plugin no longer takes. Put the former version of the ' +
  'plugin back, or delete the connection and make it again.';

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
