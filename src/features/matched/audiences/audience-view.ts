import type { AudienceStatus } from '../../../domain/matched/index.js';
import type { audiences, imports, matchedUploads } from '../../../platform/database/index.js';
import { reaches } from '../../tenancy/index.js';
import type { Caller } from '../caller.guard.js';

/** Everything that is known of one matched audience. */
export interface MatchedAudience {
  audience: typeof audiences.$inferSelect;
  /** What was said when it was uploaded; null for one that came another way. */
  upload: typeof matchedUploads.$inferSelect | null;
  newest: typeof imports.$inferSelect | undefined;
  status: AudienceStatus;
}

/** A matched audience, field for field as IQM answers it. What the hub has nothing of (spending, costs) is 0. */
export function showMatchedAudience(caller: Caller, one: MatchedAudience) {
  const { audience, upload, newest } = one;
  const { principal, organization, owId } = caller;
  const uniques = membersOf(one);
  return {
    id: audience.id,
    audienceName: audience.name,
    existingColumnMatching: upload?.columns ?? mappingText(audience.mapping),
    metadata: upload?.metadata ?? '{}',
    rawS3URL: '',
    status: one.status,
    matchRate: matchRateOf(uniques, newest),
    minEcpm: 0,
    maxEcpm: 0,
    s3FileName: upload?.fileName ?? newest?.sourceKey.split('/').at(-1) ?? '',
    included: 0,
    excluded: 0,
    createdDate: secondsOf(audience.createdAt),
    modifiedDate: secondsOf(audience.updatedAt),
    organizationName: organization.name,
    userName: upload?.userName ?? '',
    expectedSpent7: 0,
    expectedSpent30: 0,
    expectedSpent60: 0,
    dataCost: 0,
    owId,
    uowId: upload?.userNumber ?? 0,
    rawS3URLError: 'File not available currently, please check later',
    uniques,
    approvedRejectedByUserName: audience.approvedBy?.name ?? '',
    approvedRejectedByUserEmail: audience.approvedBy?.email ?? '',
    isApprovalAccess: reaches(principal.role, 'admin'),
    isEditAccess: reaches(principal.role, 'editor'),
  };
}

/** People in the audience; of one that waits for a decision, those it would have. */
function membersOf({ audience, newest }: MatchedAudience): number {
  const next = newest?.state === 'held' ? newest.progress.nextSize : undefined;
  return audience.version === 0 && typeof next === 'number' ? next : audience.size;
}

/** Records of the newest file that are people of the audience, in percent with two decimals. */
function matchRateOf(uniques: number, newest: MatchedAudience['newest']): number {
  const read = newest?.rows?.read ?? 0;
  return read === 0 ? 0 : Math.min(100, Math.round((uniques / read) * 10_000) / 100);
}

const secondsOf = (moment: Date): number => Math.floor(moment.getTime() / 1000);

/** The columns of an audience that was not uploaded: header and field, as an upload would say them. */
function mappingText(mapping: Record<string, unknown> | null): string {
  const columns = (mapping?.columns ?? []) as { header: string; part: string }[];
  return JSON.stringify(Object.fromEntries(columns.map(({ header, part }) => [header, part])));
}
