import { describe } from '@jest/globals';
import { temporaryPglite, temporaryPostgres } from '../../../test/support/databases.js';
import { describeWith } from '../../../test/support/services.js';
import { describeLeases } from './lease.suite.js';

describe('leases on PGlite', () => describeLeases(() => temporaryPglite()));

await describeWith('PostgreSQL', 'leases on PostgreSQL', (serverUrl) =>
  describeLeases(() => temporaryPostgres({ serverUrl })),
);
