import { connect } from 'node:net';
import { describe, it } from '@jest/globals';

/** Services that some suites need besides Node. */
export type ServiceName = 'PostgreSQL' | 'Redis';

/** Where the services are; a test database or key prefix of one's own is made below these. */
export const SERVICE_URLS: Readonly<Record<ServiceName, string>> = {
  PostgreSQL: process.env.HUB_TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres',
  Redis: process.env.HUB_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
};

const DEFAULT_PORTS: Readonly<Record<ServiceName, number>> = { PostgreSQL: 5432, Redis: 6379 };
const CONNECT_TIMEOUT_MS = 2000;

/** True where an absent service is an error: in CI, and wherever HUB_TEST_REQUIRE_SERVICES is `true`. */
export function servicesRequired(): boolean {
  return process.env.CI === 'true' || process.env.HUB_TEST_REQUIRE_SERVICES === 'true';
}

/** The services that answer, each probed once by opening a connection. */
export async function servicesAvailable(): Promise<ReadonlySet<ServiceName>> {
  const names = Object.keys(SERVICE_URLS) as ServiceName[];
  const answers = await Promise.all(names.map((name) => serviceAvailable(name)));
  return new Set(names.filter((_, index) => answers[index]));
}

/** True where something listens at the service's address. */
export function serviceAvailable(name: ServiceName): Promise<boolean> {
  const { hostname, port } = new URL(SERVICE_URLS[name]);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) || DEFAULT_PORTS[name] });
    const finish = (available: boolean) => {
      socket.destroy();
      resolve(available);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

/**
 * `describe` for tests that need `service`. Where it is absent the suite fails if services are required,
 * else it is skipped, and the test output says so. Await it on the top level of the spec.
 */
export async function describeWith(
  service: ServiceName,
  title: string,
  register: (url: string) => void,
): Promise<void> {
  const url = SERVICE_URLS[service];
  if (await serviceAvailable(service)) {
    describe(title, () => register(url));
    return;
  }
  const at = new URL(url).host;
  const absent = `${service} does not answer at ${at}`;
  if (servicesRequired()) {
    describe(title, () => {
      it(`needs ${service}`, () => {
        throw new Error(`${absent}, and the suites that need it are required here. Start it.`);
      });
    });
    return;
  }
  process.stderr.write(`\nLEFT OUT: "${title}" was not run: ${absent}. Start it to run everything.\n\n`);
  describe(title, () => {
    it.skip(`LEFT OUT: ${absent}`, () => undefined);
  });
}
