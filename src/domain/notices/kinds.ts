/** What people are told of by mail. */
export const NOTICE_KINDS = [
  'import_failed',
  'import_held',
  'import_recovered',
  'connection_faulted',
  'connection_recovered',
  'count_differs',
  'export_ready',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** How somebody wants to be told: at once (several in a short time in one mail), at regular times, or not. */
export const NOTICE_CHOICES = ['immediate', 'digest', 'off'] as const;
export type NoticeChoice = (typeof NOTICE_CHOICES)[number];

/** How often a digest comes. */
export const DIGEST_SPANS = ['hour', 'day'] as const;
export type DigestSpan = (typeof DIGEST_SPANS)[number];

/** What holds for whoever chose nothing: a failure nobody hears of is worse than a mail too many. */
export const DEFAULT_CHOICE: NoticeChoice = 'immediate';

/** Kinds for which the choice of another kind holds where somebody chose nothing of their own. */
export const CHOSEN_AS: Partial<Record<NoticeKind, NoticeKind>> = { count_differs: 'connection_faulted' };

/** Kinds that are never gathered while they are told at once: somebody waits for each of them. */
export const TOLD_ONE_BY_ONE: ReadonlySet<NoticeKind> = new Set(['export_ready']);

const HOUR_MS = 3_600_000;
/** Daily digests come at six in the morning, UTC. */
const DAILY_AT_MS = 6 * HOUR_MS;

/** When the next digest after `now` goes out: at the full hour, or once a day. */
export function nextDigestAt(span: DigestSpan, now: Date): Date {
  const [everyMs, offsetMs] = span === 'hour' ? [HOUR_MS, 0] : [24 * HOUR_MS, DAILY_AT_MS];
  const slots = Math.floor((now.getTime() - offsetMs) / everyMs);
  return new Date((slots + 1) * everyMs + offsetMs);
}

/** The one that tells more and earlier, for an address that belongs to several people. */
export function moreEager(one: NoticeChoice, other: NoticeChoice): NoticeChoice {
  return NOTICE_CHOICES.indexOf(one) <= NOTICE_CHOICES.indexOf(other) ? one : other;
}
