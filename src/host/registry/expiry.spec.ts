import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOutput } from '../../kit/index.js';
import { InvalidSettingsError, PluginRegistry, requireExpiry } from './index.js';

const HOUR_MS = 3_600_000;

interface Chosen {
  hours?: number | undefined;
}

/** @param hours field of the settings; those of a connection may say another number */
function forgetful(
  hours: z.ZodType<number | undefined>,
  expireAfterMs: (settings: Chosen, own: Chosen) => number | undefined,
) {
  return defineOutput({
    id: 'acme-sieve',
    name: 'Sieve',
    description: 'Forgets members.',
    version: '1.0.0',
    settings: z.object({ url: z.url().default('https://example.com'), hours }),
    credentials: z.object({}),
    connectionSettings: z.object({ hours: z.int().optional() }),
    identities: [{ type: 'email', encoding: 'sha256' }],
    limits: { batchSize: 500 },
    check: () => Promise.resolve(),
    expireAfterMs,
    audience: { add: () => Promise.resolve({ status: 'done', rejected: [] }) },
  });
}

const inMs = (hours: number | undefined) => (hours === undefined ? undefined : hours * HOUR_MS);

describe('a plugin whose partner forgets members', () => {
  it.each([
    ['always', forgetful(z.int(), () => HOUR_MS)],
    ['unless somebody chooses otherwise', forgetful(z.int().default(1), ({ hours }) => inMs(hours))],
  ])('in less than a day, %s, is refused', (_, plugin) => {
    expect(() => new PluginRegistry([plugin])).toThrow(
      'The plugin "acme-sieve" cannot be used: expireAfterMs says that the partner forgets members after 3600000 ms',
    );
  });

  it.each([
    ['after a day', forgetful(z.int(), () => 24 * HOUR_MS)],
    ['never', forgetful(z.int(), () => undefined)],
    ['after what somebody is to choose', forgetful(z.int(), ({ hours }) => Number(hours) * HOUR_MS)],
    ['as it can say only then', forgetful(z.int(), ({ hours }) => inMs(Number(String(hours?.toFixed()))))],
  ])('%s, is taken', (_, plugin) => {
    expect(new PluginRegistry([plugin]).all()).toHaveLength(1);
  });
});

describe('a plugin of whose connections something must be chosen', () => {
  it('is judged by its own settings while there is no connection', () => {
    const strict = {
      ...forgetful(z.int().optional(), ({ hours }) => inMs(hours)),
      connectionSettings: z.object({ list: z.string() }),
    };
    expect(refused(() => requireExpiry(strict, { hours: 24 }))).toBeUndefined();
    expect(refused(() => requireExpiry(strict, { hours: 23 }))).toMatchObject({ part: 'settings' });
    expect(refused(() => requireExpiry(strict, { hours: 24 }, {}))).toMatchObject({
      part: 'connectionSettings',
      problems: [{ path: 'list' }],
    });
  });
});

describe('a plugin that says nothing of forgetting', () => {
  it('has no settings that it is judged by', () => {
    const plugin = { ...forgetful(z.int(), () => 1) };
    delete plugin.expireAfterMs;
    expect(refused(() => requireExpiry(plugin, {}))).toBeUndefined();
  });
});

describe('what somebody chooses of a partner that forgets', () => {
  const plugin = forgetful(z.int().optional(), (settings, own) => inMs(own.hours ?? settings.hours));

  it('is refused below a day, whether for the output or for one connection', () => {
    expect(refused(() => requireExpiry(plugin, {}))).toBeUndefined();
    expect(refused(() => requireExpiry(plugin, { hours: 24 }, {}))).toBeUndefined();
    const problems = [{ path: '', message: expect.stringContaining('after 82800000 ms') }];
    expect(refused(() => requireExpiry(plugin, { hours: 23 }))).toMatchObject({ part: 'settings', problems });
    const own = refused(() => requireExpiry(plugin, { hours: 24 }, { hours: 23 }));
    expect(own).toMatchObject({ part: 'connectionSettings', problems });
  });
});

function refused(call: () => void): InvalidSettingsError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidSettingsError) return error;
    throw error;
  }
}
