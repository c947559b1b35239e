/** A part of a file: from `offsetBytes`, `lengthBytes` long, both within the file. */
export interface WantedRange {
  offsetBytes: number;
  lengthBytes: number;
}

/**
 * Reads a Range header of one range (RFC 9110, 14.1.2): `bytes=0-99`, `bytes=100-`, `bytes=-100`.
 *
 * Gives `whole` where there is no header or one that is not understood (a server may ignore those), and
 * `unsatisfiable` where no byte of the file is in the range.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): WantedRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const lengthBytes = Math.min(Number(last), sizeBytes);
    return lengthBytes === 0 ? 'unsatisfiable' : { offsetBytes: sizeBytes - lengthBytes, lengthBytes };
  }
  const offsetBytes = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < offsetBytes) return 'whole';
  if (offsetBytes >= sizeBytes) return 'unsatisfiable';
  return { offsetBytes, lengthBytes: end - offsetBytes + 1 };
}
