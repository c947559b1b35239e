import { createHash } from 'node:crypto';
import { inTargetSql, targetOfVariant } from '../../domain/audiences/index.js';
import { MemberList, namesOf, type PartnerLine } from '../../host/outputs/index.js';
import {
  identitiesOf,
  knownBy,
  type IdentityForm,
  type IdentityType,
  type OutputMember,
} from '../../kit/index.js';
import {
  betweenMpidsSql,
  formsThatMeet,
  type AudienceKey,
  type KeptMembers,
  type Ledger,
  type Selection,
} from '../ledger/index.js';
import type { Step } from './chunk-reader.js';
import type { DeliveryOrder } from './delivery-rows.js';
import { SharedValues } from './shared-values.js';

/** Whom a delivery takes out, and what of them is to stay at the partner. */
export interface Leaving {
  key: AudienceKey;
  leavers: Selection;
  /** Which of the audience's members the connection sends. */
  condition: string;
  /** The version that the partner is to have then; undefined: nobody of the audience. */
  version: number | undefined;
  /** Whom other connections have in the same list. */
  kept: readonly KeptMembers[];
  /** What the partner knows people by, where that is their identities; otherwise empty. */
  forms: readonly IdentityForm[];
}

/** What is to be known of those whom a delivery of the order takes out. */
export function leavingOf(
  { audience, workspace, variant }: Pick<DeliveryOrder, 'audience' | 'workspace' | 'variant'>,
  line: PartnerLine,
  of: Pick<Leaving, 'leavers' | 'version' | 'kept'>,
): Leaving {
  const { connector } = line;
  const { settings } = line.context(new AbortController().signal);
  return {
    ...of,
    key: { audienceId: audience.id, workspace },
    condition: inTargetSql(targetOfVariant(variant), 'mpid'),
    forms: knownBy(connector, settings) === 'identities' ? identitiesOf(connector, settings) : [],
  };
}

/**
 * The same steps, but that nobody is removed whom another connection has in the list, nor a value that somebody has who
 * is there then, where the partner knows people by their values. Who is not sent for that is named as {@link Step.kept}.
 * Costs nothing where nobody shares the list, and no two profiles can have one value.
 */
export function withoutKept(
  steps: AsyncGenerator<Step>,
  ledger: Ledger,
  leaving: Leaving,
): AsyncGenerator<Step> {
  const { key, leavers, condition, kept } = leaving;
  const there = thereAfter(leaving);
  const forms = formsThatMeet(leaving.forms);
  const values =
    forms.length > 0 && there.length > 0
      ? new SharedValues(ledger, { key, leavers, condition, there, forms })
      : undefined;
  return values === undefined && kept.length === 0 ? steps : sifted(steps, ledger, leaving, values);
}

/** Who is in the list when they are out. */
export function thereAfter({ key, condition, kept, version }: Leaving): KeptMembers[] {
  const own = version === undefined ? [] : [{ audienceId: key.audienceId, versions: [version], condition }];
  return [...own, ...kept];
}

async function* sifted(
  steps: AsyncGenerator<Step>,
  ledger: Ledger,
  { key, leavers, kept }: Leaving,
  values: SharedValues | undefined,
): AsyncGenerator<Step> {
  const leavesOut = leavers.what === 'reached' && kept.length > 0;
  for await (const step of steps) {
    const { operation, chunk } = step;
    if (operation !== 'remove' || chunk.members.size === 0) yield step;
    else {
      const { firstMpid: first, lastMpid: last } = chunk.members;
      // A removal leaves them out from the beginning.
      const stay =
        leavers.what === 'remove' && kept.length > 0
          ? await ledger.keptLeavers(key, leavers, kept, betweenMpidsSql(first, last))
          : [];
      const left = without(step, new Set(stay), await values?.between(first, last));
      yield leavesOut ? namedByMembers(left) : left;
    }
  }
}

type ValuesOf = Awaited<ReturnType<SharedValues['between']>>;

function without(step: Step, stay: ReadonlySet<string>, values: ValuesOf | undefined): Step {
  if (stay.size === 0 && (values === undefined || values.size === 0)) return step;
  const sent: OutputMember[] = [];
  const kept: NonNullable<Step['kept']>[number][] = [];
  const left = createHash('sha256');
  for (const member of step.chunk.members.members) {
    const { mpid } = member;
    const shared = values?.get(mpid);
    const rest = shared === undefined ? member : withoutValues(member, shared);
    if (stay.has(mpid)) kept.push({ mpid, because: 'SHARED_LIST' });
    else if (rest === undefined) kept.push({ mpid, because: 'SHARED_IDENTITY' });
    else sent.push(rest);
    if (stay.has(mpid) || shared !== undefined) left.update(`${mpid} ${JSON.stringify([...(shared ?? [])])}`);
  }
  const members = MemberList.of(sent);
  return { ...step, chunk: { ...step.chunk, members }, kept, without: left.digest('hex').slice(0, 32) };
}

/**
 * A removal leaves those who are kept out from the beginning, and tried again it may be others: between the same two members
 * it is another batch then, which a partner that knows the first one must not take for it.
 */
function namedByMembers(step: Step): Step {
  const sent = step.chunk.members.members.map(({ mpid }) => mpid);
  return { ...step, without: namesOf([step.without ?? '', ...sent]) };
}

/** Undefined where nothing is left. */
function withoutValues(member: OutputMember, shared: ReadonlySet<string>): OutputMember | undefined {
  const left = Object.entries(member.identities).flatMap(([type, values]) => {
    const own = (values ?? []).filter(
      (value) => !shared.has(SharedValues.nameOf(type as IdentityType, value)),
    );
    return own.length > 0 ? [[type, own] as const] : [];
  });
  return left.length > 0 ? { ...member, identities: Object.fromEntries(left) } : undefined;
}
