import { createHash } from 'node:crypto';

/** Bytes a name may have before what follows (`.ndjson`) must fit into the 255 that file systems take. */
const MAX_NAME_BYTES = 200;

/**
 * A file name for any text: what a file system could misread is percent-encoded, so that different texts
 * never share a name; a text too long for a name is cut and told apart by a digest.
 */
export function fileNameOf(text: string): string {
  const encoded = text
    .replace(/[%/\\:*?"<>|~\p{Cc}]/gu, percentEncoded)
    .replace(/^[. ]|[. ]$/g, percentEncoded);
  if (Buffer.byteLength(encoded) <= MAX_NAME_BYTES) return encoded;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${cut(encoded, MAX_NAME_BYTES - digest.length - 1)}~${digest}`;
}

/** The first characters of `text` that fit into `sizeBytes`, none of them halved. */
function cut(text: string, sizeBytes: number): string {
  let size = 0;
  let kept = '';
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > sizeBytes) break;
    kept += character;
  }
  return kept;
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
