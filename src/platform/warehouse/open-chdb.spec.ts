import { describe } from '@jest/globals';
import { temporaryWarehouse } from '../../../test/support/warehouse.js';
import { describeWarehouse, itClosesInOrder } from './warehouse.suite.js';

describe('the warehouse on chDB', () => {
  describeWarehouse(temporaryWarehouse);
});

describe('the warehouse on chDB, opened again in the same process', () => {
  itClosesInOrder(temporaryWarehouse);
});
