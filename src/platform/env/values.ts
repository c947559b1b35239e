import { z } from 'zod';

/**
 * A variable that `parse` reads from its text; `undefined` from `parse` is the error, and `expected`
 * says what belongs there.
 */
export function variable<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

/** A whole number between `min` and `max`, both allowed. */
export function wholeNumber(min: number, max: number) {
  return variable(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** `true` or `false`, also as 1/0, yes/no, on/off. */
export function flag() {
  return variable('true or false', (text) => {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    return /^(false|0|no|off)$/i.test(text) ? false : undefined;
  });
}

/** One word of a fixed list. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return variable(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text.toLowerCase()));
}

/** An absolute URL of one of the `protocols` (with colon). */
export function url(expected: string, protocols: readonly string[]) {
  return variable(expected, (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    return parsed && protocols.includes(parsed.protocol) && parsed.hostname !== '' ? parsed : undefined;
  });
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** An amount of bytes: `2147483648`, `2GiB`, `500 MB`. At least `minBytes`. */
export function byteSize(minBytes: number) {
  return variable(`bytes, at least ${minBytes}, such as 2147483648 or 2GiB`, (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
    const unit = BYTE_UNITS[(match?.[2] ?? '').toLowerCase()];
    if (!match?.[1] || unit === undefined) return undefined;
    const bytes = Math.round(Number(match[1]) * unit);
    return Number.isSafeInteger(bytes) && bytes >= minBytes ? bytes : undefined;
  });
}

/** 32 bytes as 64 hexadecimal digits or as base64. */
export function key256() {
  return variable('32 bytes as base64 or as 64 hexadecimal digits', (text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
    const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(text);
    const bytes = isBase64 ? Buffer.from(text, 'base64') : undefined;
    return bytes?.length === 32 ? bytes : undefined;
  });
}
