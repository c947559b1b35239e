import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig, ROLES } from './index.js';

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const SERVICES = {
  DATABASE_URL: 'postgresql://hub:pw@db.example.com/hub',
  CLICKHOUSE_URL: 'https://hub:p%40ss@ch.example.com:8443/audiences',
  REDIS_URL: 'redis://redis.example.com:6379',
  HUB_FILES: 's3://hub-files/spool/',
};

describe('readConfig', () => {
  it('needs nothing: everything is embedded under ./data', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      dataDir: resolve('data'),
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      files: { kind: 'folder', path: join(resolve('data'), 'files') },
      demo: true,
      allowPrivateEgress: false,
      warehouseMemoryBytes: 2 ** 31,
      exportLinkHours: 72,
      leaseMs: 60_000,
    });
    expect([...config.roles]).toEqual([...ROLES]);
    expect([config.databaseUrl, config.clickHouse, config.redisUrl]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('takes the services of a cluster apart', () => {
    const config = readConfig({
      ...SERVICES,
      HUB_ROLES: 'worker, API',
      HUB_FILES_ENDPOINT: 'http://s3.example.com:9000',
      HUB_FILES_REGION: 'eu-central-1',
      HUB_FILES_ACCESS_KEY_ID: 'id',
      HUB_FILES_SECRET: 'secret',
    });
    expect([...config.roles].sort()).toEqual(['api', 'worker']);
    expect(config.clickHouse).toEqual({
      url: 'https://ch.example.com:8443',
      username: 'hub',
      password: 'p@ss',
      database: 'audiences',
    });
    expect(config.files).toEqual({
      kind: 's3',
      bucket: 'hub-files',
      prefix: 'spool',
      endpoint: 'http://s3.example.com:9000/',
      region: 'eu-central-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    });
  });

  it('reads sizes with units, keys in both spellings, and counts an empty variable as absent', () => {
    const hex = 'ab'.repeat(32);
    expect(readConfig({ HUB_WAREHOUSE_MEMORY: '1.5GiB' }).warehouseMemoryBytes).toBe(1.5 * 2 ** 30);
    expect(readConfig({ HUB_WAREHOUSE_MEMORY: '3 GB' }).warehouseMemoryBytes).toBe(3e9);
    expect(readConfig({ HUB_SECRET_KEY: hex }).secretKey?.toString('hex')).toBe(hex);
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    expect(readConfig({ HUB_SECRET_KEY: base64 }).secretKey?.toString('hex')).toBe(hex);
    expect(readConfig({ PORT: '', HUB_SECRET_KEY: ' ', HUB_DEMO: 'off' })).toMatchObject({
      port: 3000,
      secretKey: undefined,
      demo: false,
    });
  });

  it('tells every problem at once, one line each, naming what was expected and what was got', () => {
    const problems = problemsOf({
      PORT: '99999',
      HUB_DEMO: 'maybe',
      HUB_LOGG: 'info',
      HUB_ROLES: 'api,cook',
    });
    expect(problems).toEqual([
      'PORT: expected a whole number from 0 to 65535, got "99999".',
      'HUB_ROLES: expected a comma list of api, worker, scheduler, got "api,cook".',
      'HUB_DEMO: expected true or false, got "maybe".',
      'HUB_LOGG: not a variable of the hub. Did you mean HUB_LOG?',
    ]);
    expect(new ConfigError(problems).message.split('\n')).toHaveLength(5);
  });

  it.each([
    ['DATABASE_URL', 'mysql://u:hunter2@h/d'],
    ['CLICKHOUSE_URL', 'tcp://u:hunter2@h/d'],
    ['REDIS_URL', 'hunter2'],
    ['SMTP_URL', 'http://u:hunter2@h'],
    ['HUB_ADMIN_KEY', 'hunter2'],
    ['HUB_SECRET_KEY', 'hunter2'],
  ])('never repeats the value of %s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('refuses a part of the hub without the services its other parts share', () => {
    expect(problemsOf({ HUB_ROLES: 'worker', REDIS_URL: SERVICES.REDIS_URL })).toEqual([
      expect.stringContaining('set DATABASE_URL, CLICKHOUSE_URL, HUB_FILES too'),
    ]);
    expect(problemsOf({ ...SERVICES, HUB_ROLES: 'worker' })).toEqual([]);
  });

  it('refuses half a key pair, and S3 settings for a folder', () => {
    expect(problemsOf({ HUB_FILES: 's3://hub-files', HUB_FILES_ACCESS_KEY_ID: 'id' })).toEqual([
      'HUB_FILES_ACCESS_KEY_ID and HUB_FILES_SECRET: expected both or neither.',
    ]);
    expect(problemsOf({ HUB_FILES: '/srv/files', HUB_FILES_REGION: 'eu-west-1' })).toHaveLength(1);
  });

  it('wants absolute drop roots', () => {
    expect(readConfig({ HUB_DROP_ROOTS: '/srv/drops, /srv/out/' }).dropRoots).toEqual([
      '/srv/drops',
      '/srv/out',
    ]);
    expect(problemsOf({ HUB_DROP_ROOTS: 'drops' })).toHaveLength(1);
  });

  it('suggests PORT for HUB_PORT, and leaves the variables alone that Kubernetes makes', () => {
    expect(problemsOf({ HUB_PORT: '8080' })).toEqual([
      'HUB_PORT: not a variable of the hub. Did you mean PORT?',
    ]);
    expect(
      problemsOf({
        HUB_PORT: 'tcp://10.0.0.1:3000',
        HUB_SERVICE_HOST: '10.0.0.1',
        HUB_API_SERVICE_PORT_HTTP: '3000',
        HUB_API_PORT_3000_TCP_ADDR: '10.0.0.1',
        HUB_KEY: 'hub_x',
        HUB_TEST_REQUIRE_SERVICES: 'true',
      }),
    ).toEqual([]);
  });
});
