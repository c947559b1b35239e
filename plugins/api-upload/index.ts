import { z } from 'zod';
import { defineInput } from '../../src/kit/index.js';

const GIB = 1024 ** 3;
const MILLION = 1_000_000;

const settings = z.object({
  maxBytes: z
    .int()
    .min(1)
    .max(GIB)
    .default(GIB)
    .meta({ description: 'Largest file taken, in bytes. More is refused while it is received.' }),
  maxRecords: z
    .int()
    .min(1)
    .max(5 * MILLION)
    .default(5 * MILLION)
    .meta({ description: 'Most records of a file.' }),
  keepFileDays: z
    .int()
    .min(0)
    .max(365)
    .default(30)
    .meta({ description: 'Days for which an uploaded file is kept, so that it can be matched anew.' }),
});

/** Files that come through IQM's API. */
export const apiUpload = defineInput({
  id: 'api-upload',
  name: 'API upload',
  description: "Files uploaded by IQM's matched-audience API.",
  version: '1.0.0',
  settings,
  credentials: z.object({}),
  trigger: { type: 'upload' },
  // Nothing outside the hub takes part.
  check: () => Promise.resolve(),
});
