/** Kinds of work that travel through the queue; on Redis each is a Bull queue of this name. */
export const WORK_KINDS = [
  'scan',
  'source-notices',
  'import',
  'delivery',
  'probe',
  'export',
  'outbox',
  'cleanup',
  'erasure',
] as const;
