import { fileURLToPath } from 'node:url';
import { readOptions, USAGE, type BenchOptions, type RowName } from './options.js';
import { isFarOff, isMet, tableOf, writeJson, type Figure } from './report.js';
import { deliveryRow, META, WEBHOOK } from './rows/delivery-row.js';
import { exportRow } from './rows/export-row.js';
import { importRow } from './rows/import-row.js';
import { peopleRow } from './rows/people-row.js';
import { largeUploadRow } from './rows/large-upload-row.js';
import { uploadRow } from './rows/upload-row.js';

/** Beside the sources, not in dist/: a build must not take the results away. */
const RESULTS = fileURLToPath(new URL('../../bench/results', import.meta.url));

/** Short rows are noisy, so they have more rounds. */
function measure(row: RowName, { short, rounds }: BenchOptions): Promise<Figure[]> {
  switch (row) {
    case 'import-1m':
      return importRow(1_000_000, rounds ?? 3, 'folder');
    case 'import-16m':
      return importRow(16_000_000, rounds ?? 1, 'folder');
    case 'import-16m-s3':
      return importRow(16_000_000, rounds ?? 1, 's3');
    case 'import-people':
      return peopleRow(short ? 1_000_000 : 4_000_000);
    case 'upload-csv':
      return uploadRow('csv', short ? 100_000 : 1_000_000, rounds ?? (short ? 1 : 3));
    case 'upload-xlsx':
      return uploadRow('xlsx', short ? 100_000 : 1_000_000, rounds ?? (short ? 1 : 3));
    case 'upload-large':
      return largeUploadRow();
    case 'delivery':
      return deliveryRow(WEBHOOK, short ? 300_000 : 1_000_000, rounds ?? 5);
    case 'delivery-meta':
      return deliveryRow(META, short ? 100_000 : 1_000_000, rounds ?? 3);
    case 'export':
      return exportRow(short ? 300_000 : 1_000_000, rounds ?? 3);
  }
}

async function run(options: BenchOptions): Promise<void> {
  const figures: Figure[] = [];
  for (const row of options.rows) {
    console.error(`measuring ${row} …`);
    figures.push(...(await measure(row, options)));
  }
  console.log(tableOf(figures));
  console.log(`\nThe best of all rounds on either side. ${await writeJson(RESULTS, options, figures)}`);
  // One noisy run is no news; a ratio that is twice what it should be is.
  const failed = figures.filter((figure) => (options.short ? isFarOff(figure) : !isMet(figure)));
  if (options.short && failed.length > 0) process.exitCode = 1;
}

const options = readOptions(process.argv.slice(2));
if (options === 'help') console.log(USAGE);
else await run(options);
