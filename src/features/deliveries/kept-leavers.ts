import { MemberList } from '../../host/outputs/index.js';
import { betweenMpidsSql, type AudienceKey, type KeptMembers, type Ledger } from '../ledger/index.js';
import type { Step } from './chunk-reader.js';

/** Of whom a delivery takes out, and who has somebody of them in the same list. */
export interface Leaving {
  key: AudienceKey;
  from: number;
  to: number;
  kept: readonly KeptMembers[];
}

/**
 * The same steps, but that nobody is removed whom another connection has in the list: such members are named as
 * {@link Step.kept}. The engine is asked once a batch that removes somebody, and never where nobody shares the list.
 */
export function withoutKept(
  steps: AsyncGenerator<Step>,
  ledger: Ledger,
  leaving: Leaving,
): AsyncGenerator<Step> {
  return leaving.kept.length === 0 ? steps : sifted(steps, ledger, leaving);
}

async function* sifted(
  steps: AsyncGenerator<Step>,
  ledger: Ledger,
  { key, from, to, kept }: Leaving,
): AsyncGenerator<Step> {
  for await (const step of steps) {
    const { operation, chunk } = step;
    if (operation !== 'remove' || chunk.members.size === 0) yield step;
    else {
      const inside = betweenMpidsSql(chunk.members.firstMpid, chunk.members.lastMpid);
      yield without(step, new Set(await ledger.keptLeavers(key, { from, to }, kept, inside)));
    }
  }
}

function without(step: Step, stay: ReadonlySet<string>): Step {
  if (stay.size === 0) return step;
  const { members } = step.chunk.members;
  const sent = members.filter(({ mpid }) => !stay.has(mpid));
  const kept = members.flatMap(({ mpid }) => (stay.has(mpid) ? [mpid] : []));
  return { ...step, chunk: { ...step.chunk, members: MemberList.of(sent) }, kept };
}
