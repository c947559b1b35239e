/**
 * Partners that forget members who are not added again are told of everybody once a cycle: a third of the time that
 * they remember somebody. So a partner, or the hub, may be away for most of another third, and nobody is forgotten.
 *
 * People are parted into slices by a hash of their mpid, and the slices take turns through the cycle, so that no hour has
 * more to send than another. Slots begin at multiples of their length since 1970, the same ones in every process.
 */
export const SLICES = 24;

/** Cycles in the time that a partner remembers somebody. */
const CYCLES = 3;

/** Start (milliseconds since 1970) of the newest slot that was dealt with, by slice. */
export type SlotsDone = Readonly<Record<string, number>>;

/** How often everybody is added again, in milliseconds. */
export function cycleMsOf(expireAfterMs: number): number {
  return slotMsOf(expireAfterMs) * SLICES;
}

/** Start of the newest slot of every slice at `nowMs`. */
export function newestSlots(expireAfterMs: number, nowMs: number): Record<string, number> {
  const lengthMs = slotMsOf(expireAfterMs);
  const present = Math.floor(nowMs / lengthMs);
  const slots = Array.from({ length: SLICES }, (_, back) => present - back);
  return Object.fromEntries(slots.map((slot) => [String(sliceOf(slot)), slot * lengthMs]));
}

/**
 * The newest slots of slices whose turn has come and was not dealt with. Of several turns that a slice missed only the
 * newest counts.
 *
 * @param sinceMs when it was first known that the partner forgets people: earlier turns are nobody's
 */
export function dueSlots(
  expireAfterMs: number,
  { sinceMs, done }: { sinceMs: number; done: SlotsDone },
  nowMs: number,
): Record<string, number> {
  const newest = Object.entries(newestSlots(expireAfterMs, nowMs));
  return Object.fromEntries(newest.filter(([slice, slotMs]) => slotMs > (done[slice] ?? sinceMs)));
}

/** Condition over the column `mpid`: who is in one of the slices. */
export function inSlicesSql(slices: readonly number[]): string {
  return `cityHash64(toInt64(mpid)) % ${SLICES} IN (${slices.join(', ')})`;
}

function slotMsOf(expireAfterMs: number): number {
  return Math.max(1, Math.floor(expireAfterMs / CYCLES / SLICES));
}

function sliceOf(slot: number): number {
  return ((slot % SLICES) + SLICES) % SLICES;
}
