/** Bytes of one record (cells and delimiters, as UTF-8) beyond which it is taken for damage, not for a person. */
export const MAX_RECORD_BYTES = 2 ** 20;

/** Problems listed in a report; all of them are counted. */
export const MAX_LISTED_PROBLEMS = 1000;
