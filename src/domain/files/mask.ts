const EMAIL = /^([^@]+)@([^@]+)\.([a-z]{2,10})$/i;
/** Parts of up to two characters show none: one of them would be half of it. */
const MIN_SHOWN_LENGTH = 3;

/**
 * Enough of a value to find its cell again, not enough to know the person: `a***@e***.com` for an address,
 * first character and length for all else (`+***(12)`).
 */
export function maskValue(text: string): string {
  if (text === '') return '';
  const email = EMAIL.exec(text.trim());
  if (email) {
    const [, local = '', domain = '', top = ''] = email;
    return `${firstOf(local)}***@${firstOf(domain)}***.${top}`;
  }
  return `${firstOf(text)}***(${Array.from(text).length})`;
}

function firstOf(text: string): string {
  const [first = '', ...others] = text;
  if (others.length + 1 < MIN_SHOWN_LENGTH) return '';
  return /^[\p{C}\p{Z}]$/u.test(first) ? '' : first;
}
