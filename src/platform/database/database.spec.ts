import { describe } from '@jest/globals';
import { temporaryPglite, temporaryPostgres } from '../../../test/support/databases.js';
import { describeWith } from '../../../test/support/services.js';
import { describeDatabase } from './database.suite.js';

describe('the database on PGlite', () => describeDatabase(() => temporaryPglite({ migrated: false })));

await describeWith('PostgreSQL', 'the database on PostgreSQL', (serverUrl) =>
  describeDatabase(() => temporaryPostgres({ serverUrl, migrated: false })),
);
