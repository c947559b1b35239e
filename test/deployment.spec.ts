import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { readConfig, ROLES } from '../src/platform/env/index.js';
import { variables } from '../src/platform/env/variables.js';

/** What is read of docker-compose.yml. */
interface Compose {
  services: Record<
    string,
    {
      image?: string;
      build?: string;
      environment?: Record<string, string>;
      healthcheck?: unknown;
      depends_on?: Record<string, unknown>;
    }
  >;
  volumes: Record<string, unknown>;
}

const projectFile = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');
const KNOWN = Object.keys(variables.shape);
/** Variables of Node and of the command line, which have sentences of their own. */
const NOT_OF_THE_SERVER = ['UV_THREADPOOL_SIZE', 'NODE_ENV'];

describe('docs/deployment.md', () => {
  it('lists every variable of the hub with its default, and no other', async () => {
    const page = await projectFile('docs/deployment.md');
    const rows = [...page.matchAll(/^\| `([A-Z][A-Z_]+)`\s*\| (?:`([^`]+)`)?\s*\|/gm)];
    const listed = Object.fromEntries(rows.map(([, name, standard]) => [name, standard]));
    const defaults = KNOWN.map((name) => [name, defaultOf(name)]);
    expect(listed).toEqual(Object.fromEntries(defaults));
  });
});

describe('docker-compose.yml', () => {
  const compose = async () =>
    load(await projectFile('docker-compose.yml'), { schema: YAML11_SCHEMA }) as Compose;
  const hubs = async () =>
    Object.entries((await compose()).services).filter(([, service]) => service.build !== undefined);

  it('gives every process of the hub variables that it takes', async () => {
    expect(await hubs()).toHaveLength(3);
    for (const [name, { environment = {} }] of await hubs()) {
      const config = readConfig(withDefaults(environment));
      expect({ name, embedded: config.databaseUrl === undefined || config.clickHouse === undefined }).toEqual(
        { name, embedded: false },
      );
    }
  });

  it('has every role once', async () => {
    const roles = (await hubs()).flatMap(([, { environment }]) => environment?.HUB_ROLES ?? []);
    expect(roles.sort()).toEqual([...ROLES].sort());
  });

  it('shares one admin key and one secret key among the processes', async () => {
    const keys = (await hubs()).map(([, { environment }]) => [
      environment?.HUB_ADMIN_KEY,
      environment?.HUB_SECRET_KEY,
    ]);
    expect(new Set(keys.map(String)).size).toBe(1);
  });

  it('waits for services that are there', async () => {
    const { services } = await compose();
    for (const [name, { depends_on: needed = {} }] of Object.entries(services)) {
      for (const other of Object.keys(needed)) {
        expect({ name, needs: other, isThere: other in services }).toMatchObject({ isThere: true });
      }
    }
    for (const store of ['postgres', 'redis', 'clickhouse', 's3']) {
      expect(services[store]?.healthcheck).toBeDefined();
    }
  });

  it('holds no password that does not say it is for development', async () => {
    const { services } = await compose();
    const secrets = Object.values(services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|_KEY$/.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(4);
    for (const [name, value] of secrets) {
      const text = withDefaults({ [name]: value })[name] ?? '';
      const plain = /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex').toString() : text;
      expect({ name, plain }).toEqual({ name, plain: expect.stringMatching(/development/) });
      expect({ name, value }).toEqual({ name, value: expect.stringMatching(/^\$\{[A-Z_0-9]+:-/) });
    }
  });
});

describe('Dockerfile', () => {
  it('sets variables that the hub or Node knows', async () => {
    const file = await projectFile('Dockerfile');
    const names = [...file.matchAll(/^(?:ENV)?\s+([A-Z_]+)=/gm)].map(([, name]) => name ?? '');
    expect(names).toContain('HUB_HOST');
    expect(names.filter((name) => !KNOWN.includes(name) && !NOT_OF_THE_SERVER.includes(name))).toEqual([]);
  });
});

/** The default as text, where there is one. */
function defaultOf(name: string): string | undefined {
  const field: unknown = variables.shape[name as keyof typeof variables.shape];
  const { def } = field as { def: { defaultValue?: unknown } };
  return typeof def.defaultValue === 'string' ? def.defaultValue : undefined;
}

/** What docker compose makes of `${NAME:-default}` where NAME is not set. */
function withDefaults(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{[A-Z_0-9]+:-([^}]*)\}/g, '$1'),
    ]),
  );
}
