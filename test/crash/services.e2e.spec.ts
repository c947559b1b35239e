import { copyOfPostgres, temporaryPostgres } from '../support/databases.js';
import { freeRedisPrefix } from '../support/redis.js';
import { describeWith, SERVICE_URLS } from '../support/services.js';
import { crashSuite } from './crash.suite.js';

await describeWith('PostgreSQL', 'with services', () => {
  crashSuite('on PostgreSQL and Redis', async () => {
    const database = await temporaryPostgres({ migrated: false });
    const first = await freeRedisPrefix();
    const variables = (url: string, prefix: string) => ({
      DATABASE_URL: url,
      REDIS_URL: SERVICE_URLS.Redis,
      HUB_REDIS_PREFIX: prefix,
    });
    return {
      baseline: variables(database.url, first.prefix),
      async fork() {
        const copy = await copyOfPostgres(database.url);
        const redis = await freeRedisPrefix();
        return {
          env: variables(copy.url, redis.prefix),
          async remove() {
            await copy.remove();
            await redis.clear();
          },
        };
      },
      async close() {
        await database.close();
        await first.clear();
      },
    };
  });
});
