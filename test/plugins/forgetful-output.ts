import { z } from 'zod';
import { defineOutput } from '../../src/kit/index.js';

const HOUR_MS = 3_600_000;
const hours = z.int().min(1).optional();

/** An output whose partner forgets members after the hours that somebody chooses, of a connection or of all. */
export const forgetfulOutput = defineOutput({
  id: 'forgetful-ads',
  name: 'Forgetful Ads',
  description: 'Forgets members after a while.',
  version: '1.0.0',
  settings: z.object({ hours }),
  credentials: z.object({}),
  connectionSettings: z.object({ hours }),
  identities: [{ type: 'email', encoding: 'sha256' }],
  limits: { batchSize: 100 },
  expireAfterMs: (settings, connection) => {
    const chosen = connection.hours ?? settings.hours;
    return chosen === undefined ? undefined : chosen * HOUR_MS;
  },
  check: () => Promise.resolve(),
  audience: { add: () => Promise.resolve({ status: 'done', rejected: [] }) },
});
