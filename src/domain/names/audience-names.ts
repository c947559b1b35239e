/** Characters (code points) of a name. */
export const MAX_AUDIENCE_NAME_LENGTH = 255;
/** Characters (code points) of a tag. */
export const MAX_TAG_LENGTH = 18;

/** A text that cannot be used, with the reason. */
export interface RefusedText {
  refused: { code: string; message: string };
}

/** Control characters, line and paragraph separators, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** An audience's name or external name, trimmed: 1 to 255 characters, none of them a control character. */
export function parseAudienceName(raw: string): { name: string } | RefusedText {
  const parsed = parseText('NAME', 'name', raw, MAX_AUDIENCE_NAME_LENGTH);
  return typeof parsed === 'string' ? { name: parsed } : parsed;
}

/** A tag, trimmed: 1 to 18 characters, none of them a control character. */
export function parseTag(raw: string): { tag: string } | RefusedText {
  const parsed = parseText('TAG', 'tag', raw, MAX_TAG_LENGTH);
  return typeof parsed === 'string' ? { tag: parsed } : parsed;
}

/** What partners see: the external name (default: the name), for a variant `[External Name] - [Variant Name]`. */
export function partnerAudienceName(audience: {
  name: string;
  externalName?: string | null;
  variantName?: string | null;
}): string {
  const shown = audience.externalName ?? audience.name;
  return audience.variantName == null ? shown : `${shown} - ${audience.variantName}`;
}

function parseText(code: string, what: string, raw: string, maxLength: number): string | RefusedText {
  const text = raw.trim();
  const { length } = Array.from(text);
  if (length === 0)
    return refuse(`${code}_EMPTY`, `The ${what} is empty. Give it 1 to ${maxLength} characters.`);
  if (length > maxLength) {
    return refuse(
      `${code}_TOO_LONG`,
      `The ${what} has ${length} characters; at most ${maxLength} are allowed.`,
    );
  }
  if (UNPRINTABLE.test(text)) {
    return refuse(`${code}_UNPRINTABLE`, `The ${what} holds a control character or line break. Remove it.`);
  }
  return text;
}

function refuse(code: string, message: string): RefusedText {
  return { refused: { code, message } };
}
