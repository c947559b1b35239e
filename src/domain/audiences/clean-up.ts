/** Kind of the hint that a deleted audience is to be cleaned up. */
export const CLEAN_UP = 'cleanup';
