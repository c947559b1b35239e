import { describe } from '@jest/globals';
import { temporaryPglite, temporaryPostgres } from '../../../test/support/databases.js';
import { describeWith } from '../../../test/support/services.js';
import { describeNotices } from './notices.suite.js';

describe('notices on PGlite', () => describeNotices(() => temporaryPglite()));

await describeWith('PostgreSQL', 'notices on PostgreSQL', (serverUrl) =>
  describeNotices(() => temporaryPostgres({ serverUrl })),
);
