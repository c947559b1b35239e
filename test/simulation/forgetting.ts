import type { SimList } from './partner-list.js';
import type { SimPlugin } from './partner-kinds.js';

const HOUR_MS = 3_600_000;

/** The partner that forgets whom nobody adds again, and after how long. */
export const FORGETTING: SimPlugin = 'sim-list';
export const EXPIRE_MS = 24 * HOUR_MS;

/** So much of a day passes before the hub looks again. With it everybody is added within twenty hours and a half. */
export const TURN_MS = 4 * HOUR_MS;

/** Time in which anything may keep the hub from it, and everybody is still added in time. */
const LATE_MS = 2 * HOUR_MS;

/** After so long without accidents every slice had its turn, whatever was before. */
const CALM_MS = 13 * HOUR_MS;

/** When it is: all that passed, and of that what passed amidst accidents. */
export interface Moment {
  nowMs: number;
  eventfulMs: number;
  /** When that was last. */
  lastEventMs: number;
}

/**
 * Forgets whose time is over. That is a violation, unless somebody stood in the way since they were added: such are noted
 * as lost. Whom the partner refuses it forgets with good reason.
 */
export function forget(list: SimList, { nowMs, eventfulMs, lastEventMs }: Moment): string[] {
  if (list.plugin !== FORGETTING || list.gone) return [];
  const violations: string[] = [];
  for (const [mpid, { added }] of list.members) {
    if (nowMs - added.nowMs < EXPIRE_MS) continue;
    const isRefused = list.refused.has(mpid);
    const isCalm = nowMs - Math.max(lastEventMs, list.stoppedMs) >= CALM_MS;
    const hadTrouble = eventfulMs - added.eventfulMs > LATE_MS || list.stoppedMs >= added.nowMs;
    if (!isRefused && (isCalm || !hadTrouble)) {
      violations.push(`${list.id} forgot ${mpid}, who was added at ${new Date(added.nowMs).toISOString()}.`);
    }
    list.lose(mpid);
  }
  return violations;
}
