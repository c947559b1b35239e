import { describe, expect, it } from '@jest/globals';
import { temporaryClickHouse } from '../../../test/support/warehouse.js';
import { openClickHouse } from './index.js';
import { describeWarehouse, itClosesInOrder } from './warehouse.suite.js';

describe('the warehouse on ClickHouse', () => {
  describeWarehouse(temporaryClickHouse);
  itClosesInOrder(temporaryClickHouse);

  it('fails with the reason, query and ping alike, where the server has died', async () => {
    const opened = await temporaryClickHouse();
    const { warehouse, server } = opened;
    const running = warehouse.query('SELECT sleep(3)');
    await server.kill();
    await expect(running).rejects.toMatchObject({ name: 'WarehouseError' });
    await expect(warehouse.query('SELECT 1')).rejects.toMatchObject({ name: 'WarehouseError' });
    await expect(warehouse.ping()).rejects.toMatchObject({ name: 'WarehouseError' });
    await opened.close();
  });

  it('says that nothing listens at the address', async () => {
    const warehouse = openClickHouse('http://127.0.0.1:1');
    await expect(warehouse.ping()).rejects.toThrow('ECONNREFUSED');
    await warehouse.close();
  });
});
