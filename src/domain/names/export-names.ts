const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** UTF-8 bytes a name may take of the 255 that file systems allow; the rest is id, variant, counter, time. */
const MAX_NAME_BYTES = 120;
const MAX_VARIANT_BYTES = 60;

/** One CSV of an export. */
export interface ExportFile {
  audienceId: number;
  audienceName: string;
  /** Absent: the full audience. */
  variantName?: string;
}

/** `Audiences_HHMMSSMonDDYYYY_xxxx.zip` (UTC), xxxx being the first four characters of the export's id. */
export function archiveName(exportId: string, at: Date): string {
  return `Audiences_${stampOf(at)}_${exportId.slice(0, 4)}.zip`;
}

/**
 * `{id}_{Name}_HHMMSSMonDDYYYY.csv` for each file, `{id}_{Name}_{Variant}_…` for a variant; in the order given.
 *
 * Names keep letters and digits of any script, `-` and `_`: safe in every file system and at most 255 bytes.
 * No two are equal, not even where case does not count: audiences differ by id, and variants whose names
 * are reduced to the same text get a number.
 */
export function exportFileNames(files: readonly ExportFile[], at: Date): string[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const base = baseNameOf(file);
    let name = base;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base}_${count}`;
    taken.add(name.toLowerCase());
    return `${name}_${stampOf(at)}.csv`;
  });
}

function baseNameOf({ audienceId, audienceName, variantName }: ExportFile): string {
  const parts = [String(audienceId), reduced(audienceName, MAX_NAME_BYTES) || 'Audience'];
  if (variantName !== undefined) parts.push(reduced(variantName, MAX_VARIANT_BYTES) || 'Variant');
  return parts.join('_');
}

/** Letters, marks, digits, `-` and `_` of `text`, cut to `maxBytes` between characters. */
function reduced(text: string, maxBytes: number): string {
  const kept = text.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, '');
  let sizeBytes = 0;
  let result = '';
  for (const character of kept) {
    sizeBytes += Buffer.byteLength(character);
    if (sizeBytes > maxBytes) break;
    result += character;
  }
  return result;
}

/** HHMMSSMonDDYYYY in UTC. */
function stampOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(at.getUTCHours())}${two(at.getUTCMinutes())}${two(at.getUTCSeconds())}`;
  const month = MONTHS[at.getUTCMonth()] ?? '';
  return `${time}${month}${two(at.getUTCDate())}${String(at.getUTCFullYear()).padStart(4, '0')}`;
}
