import { describe } from '@jest/globals';
import { temporaryClickHouse, temporaryWarehouse } from '../../../test/support/warehouse.js';
import { describeLedger } from './ledger.suite.js';

describe('the ledger on chDB', () => describeLedger(temporaryWarehouse));

describe('the ledger on ClickHouse', () => describeLedger(temporaryClickHouse));
