import { judgeRefresh, type HoldCode } from '../../../domain/imports/index.js';
import type { AudienceRow, ImportWork } from '../pipeline/import-work.js';
import type { Match } from './match-sample.js';

/** What the guard would say of the refresh, as far as the sample tells. */
export interface GuardPreview {
  verdict: 'pass' | 'hold' | 'not_estimated';
  code: HoldCode | null;
  message: string | null;
  sizeBefore: number;
  /** Exact; null where only a part of the file was looked up. */
  sizeAfter: number | null;
  added: number | null;
  removed: number | null;
  /** No more members than this, in 95 of 100 cases where it stands on a sample; repetitions make them fewer. */
  sizeAfterAtMost: number;
}

interface Known {
  workspace: ImportWork['workspace'];
  audience: Pick<AudienceRow, 'size'> | undefined;
  rows: { read: number; accepted: number; rejected: number };
  endsMidRecord: boolean;
  match: Match | null;
  create: boolean;
  /** As the sender says. */
  declaredRows?: number;
}

/** Asks the import's own guard, with the sizes that are known, or with the largest that are likely. */
export function previewGuard(known: Known): GuardPreview {
  const { workspace, audience, rows, endsMidRecord, match, create } = known;
  const sizeBefore = audience?.size ?? 0;
  const share = create ? 1 : (match?.high ?? 1);
  const atMost = Math.ceil(rows.accepted * share);
  const sizes = match?.sizes ?? null;
  const { maxShrinkShare } = workspace.settings;
  const verdict = judgeRefresh({
    previousSize: sizeBefore,
    nextSize: sizes?.size ?? atMost,
    added: sizes?.added ?? 0,
    removed: sizes?.removed ?? Math.max(0, sizeBefore - atMost),
    rowsRead: rows.read,
    rowsRejected: rows.rejected,
    endsMidRecord,
    ...(known.declaredRows === undefined ? {} : { declaredRows: known.declaredRows }),
    ...(maxShrinkShare === undefined ? {} : { maxShrinkShare }),
  });
  const held = verdict.verdict === 'hold' ? verdict : undefined;
  // Without exact sizes a file that seems large enough may still name few people many times.
  const isSure = sizes !== null || sizeBefore === 0;
  return {
    verdict: held ? 'hold' : isSure ? 'pass' : 'not_estimated',
    code: held?.code ?? null,
    message: held?.message ?? null,
    sizeBefore,
    sizeAfter: sizes?.size ?? null,
    added: sizes?.added ?? null,
    removed: sizes?.removed ?? null,
    sizeAfterAtMost: sizes?.size ?? atMost,
  };
}
