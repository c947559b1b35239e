import { ApiProperty } from '@nestjs/swagger';
import type { RemovalPlan } from '../../../domain/removal/index.js';
import {
  REMOVAL_OUTCOMES,
  type ConnectionRemoval,
  type RemovalOutcome,
} from '../../../platform/database/index.js';

const MEMBERS = [
  'removed',
  'replaced',
  'with_list',
  'stay',
  'none',
] as const satisfies readonly RemovalPlan['members'][];
const LISTS = ['deleted', 'kept', 'none'] as const satisfies readonly RemovalPlan['list'][];
const BECAUSE = [
  'list_shared',
  'list_not_ours',
  'cannot_remove',
  'list_gone',
] as const satisfies readonly RemovalPlan['because'][];

/** What becomes, or became, of what a deleted connection had sent. */
export class RemovalView {
  @ApiProperty({
    enum: MEMBERS,
    nullable: true,
    type: String,
    description:
      'removed: one by one; replaced: by a state with nobody in it; with_list: they go with the list; stay; none: ' +
      'nobody was sent. null: not known while the output cannot be used',
  })
  members!: RemovalPlan['members'] | null;
  @ApiProperty({ enum: LISTS, nullable: true, type: String, description: 'What becomes of the list itself' })
  list!: RemovalPlan['list'] | null;
  @ApiProperty({ enum: BECAUSE, nullable: true, type: String, description: 'Why it is not more' })
  because!: RemovalPlan['because'] | null;
  @ApiProperty({ type: [String], description: 'What stays at the partner, in sentences; empty: nothing' })
  stays!: string[];
  @ApiProperty({ type: [String], description: 'Connections to the same list, whose members stay in it' })
  sharedWith!: string[];
  @ApiProperty({
    enum: REMOVAL_OUTCOMES,
    nullable: true,
    type: String,
    description: 'null: not at its end. stays: the partner could not take out everybody',
  })
  outcome!: RemovalOutcome | null;
  @ApiProperty({ description: 'Name of the API key or user that deleted the connection' })
  requestedBy!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  since!: string | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  finishedAt!: string | null;
}

export function showRemoval(
  { plan, stays, sharedWith, outcome, requestedBy }: ConnectionRemoval,
  { since, finishedAt }: { since: Date | null; finishedAt: Date | null },
): RemovalView {
  return {
    members: plan?.members ?? null,
    list: plan?.list ?? null,
    because: plan?.because ?? null,
    stays,
    sharedWith,
    outcome,
    requestedBy,
    since: since?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
