import { describe } from '@jest/globals';
import { temporaryClickHouse, temporaryWarehouse } from '../../../test/support/warehouse.js';
import { describeLedger } from './ledger.suite.js';

describe('the ledger on chDB', () => describeLedger(temporaryWarehouse));

/** The rules are the same engine's; what differs is how rows come here. All of the runs: `HUB_TEST_ALL=true`. */
const RUNS_OVER_HTTP = process.env.HUB_TEST_ALL === 'true' ? 1 : 0.3;

describe('the ledger on ClickHouse', () => describeLedger(temporaryClickHouse, RUNS_OVER_HTTP));
