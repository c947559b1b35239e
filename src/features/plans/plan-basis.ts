import { and, eq, inArray } from 'drizzle-orm';
import type { PluginRegistry } from '../../host/registry/index.js';
import type { SecretBox } from '../../platform/crypto/index.js';
import {
  abVariants,
  audiences,
  connections,
  connectionUpkeep,
  deliveries,
  OPEN_DELIVERY_STATES,
  outputs,
  workspaces,
  type Database,
  type PlanBasis,
  type SendsAgain,
  type Transaction,
} from '../../platform/database/index.js';
import { describeAgain } from './planned-again.js';

/** A connection with all that a plan looks at. */
export interface PlanSubject {
  connection: typeof connections.$inferSelect;
  output: typeof outputs.$inferSelect;
  audience: typeof audiences.$inferSelect;
  variant: typeof abVariants.$inferSelect | null;
  /** `workspaces.number`. */
  workspace: number;
  /** `workspaces.identitySequence`. */
  identitySequence: number;
  /** The open delivery, if there is one. */
  open: typeof deliveries.$inferSelect | null;
  /** Null: there was nothing to look after yet. */
  upkeep: typeof connectionUpkeep.$inferSelect | null;
}

/** The subject, all of one moment; undefined where the connection or its audience is gone. */
export async function readSubject(
  db: Database | Transaction,
  connectionId: string,
): Promise<PlanSubject | undefined> {
  const isOpen = inArray(deliveries.state, OPEN_DELIVERY_STATES);
  const [row] = await db
    .select({
      connection: connections,
      output: outputs,
      audience: audiences,
      variant: abVariants,
      workspace: workspaces.number,
      identitySequence: workspaces.identitySequence,
      open: deliveries,
      upkeep: connectionUpkeep,
    })
    .from(connections)
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .innerJoin(workspaces, eq(workspaces.id, connections.workspaceId))
    .leftJoin(abVariants, eq(abVariants.id, connections.variantId))
    .leftJoin(connectionUpkeep, eq(connectionUpkeep.connectionId, connections.id))
    .leftJoin(deliveries, and(eq(deliveries.connectionId, connections.id), isOpen))
    .where(eq(connections.id, connectionId));
  return row?.audience.deletedAt === null ? row : undefined;
}

/** The state that decides what a delivery sends, and where. */
export function basisOf(
  { connection, output, audience, variant, open, identitySequence }: PlanSubject,
  again: SendsAgain | null,
  { registry, secretBox }: { registry: PluginRegistry; secretBox: SecretBox },
): PlanBasis {
  const done = open ? open.accepted + open.rejected + open.skipped : 0;
  const fingerprint = (value: unknown) => secretBox.fingerprint(stableJson(value));
  const after = open?.toIdentities ?? connection.deliveredIdentities;
  const names = [audience.name, audience.externalName, variant?.name];
  return {
    deliveredVersion: connection.deliveredVersion,
    audienceVersion: audience.version,
    identities: { after, upTo: Math.max(after, identitySequence) },
    underWay: open && {
      id: open.id,
      toVersion: open.toVersion,
      done,
      left: open.planned === null ? null : open.planned - done,
    },
    again,
    pluginVersion: registry.output(output.plugin).version,
    names: fingerprint(names),
    connectionSettings: fingerprint([connection.settings, connection.attributes]),
    output: fingerprint([output.settings, output.credentials]),
  };
}

/** What is another than when the plan was made, in words; empty: nothing. */
export function differences(made: PlanBasis, now: PlanBasis): { field: string; message: string }[] {
  const changed = (field: string, before: unknown, after: unknown) =>
    before === after ? [] : [{ field, message: `was ${String(before)}, is ${String(after)}` }];
  const altered = (field: 'names' | 'connectionSettings' | 'output', what: string) =>
    made[field] === now[field] ? [] : [{ field, message: `${what} changed` }];
  return [
    ...changed('audienceVersion', made.audienceVersion, now.audienceVersion),
    ...changed('deliveredVersion', made.deliveredVersion, now.deliveredVersion),
    ...changed('deliveredIdentities', made.identities.after, now.identities.after),
    ...changed('delivery', described(made.underWay), described(now.underWay)),
    ...changed('again', describeAgain(made.again), describeAgain(now.again)),
    ...changed('pluginVersion', made.pluginVersion, now.pluginVersion),
    ...altered('names', 'the name at the partner was'),
    ...altered('connectionSettings', 'settings or attributes of the connection were'),
    ...altered('output', 'settings or credentials of the output were'),
  ];
}

function described(underWay: PlanBasis['underWay']): string {
  if (!underWay) return 'none under way';
  return `${underWay.id} to version ${underWay.toVersion} with ${underWay.done} members dealt with`;
}

/** The same text for the same values: the database gives objects back with their keys in another order. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
