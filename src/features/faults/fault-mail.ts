import { Injectable } from '@nestjs/common';
import { eq } from 'drizzle-orm';
import { FAULT_POLICIES } from '../../domain/faults/index.js';
import {
  audiences,
  connections,
  outputs,
  type faults,
  type Transaction,
} from '../../platform/database/index.js';
import { Notices } from '../notices/index.js';

type Fault = typeof faults.$inferSelect;

/** Tells the admins of a workspace of its connections, in the transaction of the change itself. */
@Injectable()
export class FaultMail {
  constructor(private readonly notices: Notices) {}

  async raised(tx: Transaction, fault: Fault): Promise<void> {
    const at = await whereOf(tx, fault);
    const { code, message, kind } = fault;
    const stops = kind !== 'permanent';
    await this.notices.tell(tx, {
      workspaceId: fault.workspaceId,
      kind: 'connection_faulted',
      onceKey: `fault:${fault.id}#raised`,
      content: {
        headline: `Connection of "${at.audience}" to "${at.output}" ${stops ? 'is stopped' : 'has refused rows'}`,
        message: `${message} (${code})`,
        facts: factsOf(fault, at),
        next: [
          `Who has to act: ${FAULT_POLICIES[kind].whoActs}.`,
          ...(stops
            ? [`When the cause is mended: POST /api/v1/faults/${fault.id}/resume. Nothing is lost meanwhile.`]
            : [`Which rows and why: GET /api/v1/deliveries/${fault.deliveryId}/outcomes`]),
        ],
        line: `"${at.audience}" to "${at.output}": ${code}, fault ${fault.id}`,
      },
    });
  }

  /** `by`: who says that it goes on; undefined: a probe of the hub got through. */
  async recovered(tx: Transaction, fault: Fault, by: string | undefined): Promise<void> {
    if (fault.kind === 'permanent') return;
    const at = await whereOf(tx, fault);
    const message = by
      ? `The API key "${by}" resumed the connection; its deliveries go on from where they stopped.`
      : 'The partner answers again, and deliveries go on from where they stopped. Nothing is to be done.';
    await this.notices.tell(tx, {
      workspaceId: fault.workspaceId,
      kind: 'connection_recovered',
      onceKey: `fault:${fault.id}#recovered`,
      content: {
        headline: `Connection of "${at.audience}" to "${at.output}" goes on`,
        message,
        facts: factsOf(fault, at),
        next: [],
        line: `"${at.audience}" to "${at.output}", fault ${fault.id}`,
      },
    });
  }

  /** Has written mail sent now. After the transaction. */
  send(): Promise<void> {
    return this.notices.send();
  }
}

async function whereOf(
  tx: Transaction,
  { connectionId }: Fault,
): Promise<{ audience: string; output: string }> {
  const [at] = await tx
    .select({ audience: audiences.name, output: outputs.name })
    .from(connections)
    .innerJoin(audiences, eq(audiences.id, connections.audienceId))
    .innerJoin(outputs, eq(outputs.id, connections.outputId))
    .where(eq(connections.id, connectionId));
  return at ?? { audience: '', output: '' };
}

function factsOf(fault: Fault, at: { audience: string; output: string }): [string, string][] {
  return [
    ['Audience', at.audience],
    ['Output', at.output],
    ['Connection', fault.connectionId],
    ['Fault', fault.id],
  ];
}
