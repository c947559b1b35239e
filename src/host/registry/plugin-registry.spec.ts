import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineInput, defineOutput, secret } from '../../kit/index.js';
import {
  InvalidSettingsError,
  parseConnectionSettings,
  parseCredentials,
  parseSettings,
  PluginRegistry,
} from './index.js';

const describing = {
  name: 'Test',
  description: 'For tests.',
  version: '1.2.3',
  check: () => Promise.resolve(),
};

const ads = defineOutput({
  ...describing,
  id: 'acme-ads',
  settings: z.object({ url: z.url(), ttlDays: z.int().positive().default(30) }),
  credentials: z.object({ token: secret('Token').min(20) }),
  connectionSettings: z.object({ listId: z.string().optional() }),
  identities: [{ type: 'email', encoding: 'sha256' }],
  limits: { batchSize: 500 },
  naming: { maxLength: 50 },
  audience: { add: () => Promise.resolve({ status: 'done', rejected: [] }) },
});

const drop = defineInput({
  ...describing,
  id: 'acme-drop',
  settings: z.looseObject({ path: z.string() }),
  credentials: z.object({}),
  trigger: {
    type: 'schedule',
    async *list() {
      yield await Promise.resolve({ key: 'a', revision: '1', refused: { code: 'X', message: 'x' } });
    },
  },
  open: () => Promise.reject(new Error('Nothing to open.')),
});

describe('the plugin registry', () => {
  const registry = new PluginRegistry([drop, ads]);

  it('finds plugins by kind and id, and lists them in order', () => {
    expect(registry.output('acme-ads')).toBe(ads);
    expect(registry.input('acme-drop')).toBe(drop);
    expect(registry.all().map(({ id }) => id)).toEqual(['acme-ads', 'acme-drop']);
  });

  it('names the plugins there are where one is unknown or of the other kind', () => {
    expect(() => registry.output('acme-adz')).toThrow(
      'There is no output plugin "acme-adz". Known: acme-ads.',
    );
    expect(() => registry.output('acme-drop')).toThrow(
      'There is no output plugin "acme-drop". Known: acme-ads.',
    );
    expect(() => registry.describe('x')).toThrow('There is no plugin "x". Known: acme-ads, acme-drop.');
    expect(() => new PluginRegistry([]).input('x')).toThrow('There is no input plugin "x". Known: none.');
  });

  it('refuses two plugins with one id', () => {
    expect(() => new PluginRegistry([ads, { ...drop, id: 'acme-ads' }])).toThrow(
      'Two plugins have the id "acme-ads"',
    );
  });

  it('describes a plugin as plain JSON, secrets marked', () => {
    const described = registry.describe('acme-ads');
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
    expect(described).toMatchObject({
      id: 'acme-ads',
      kind: 'output',
      version: '1.2.3',
      settings: { properties: { ttlDays: { default: 30 } }, required: ['url'] },
      credentials: { properties: { token: { 'x-secret': true } } },
      connectionSettings: { properties: { listId: { type: 'string' } } },
      identities: [{ type: 'email', encoding: 'sha256' }],
      limits: { batchSize: 500 },
      naming: { maxLength: 50 },
      capabilities: ['add'],
    });
    expect(registry.describe('acme-drop')).toMatchObject({ kind: 'input', capabilities: ['schedule'] });
  });
});

describe('settings of a plugin', () => {
  it('come out parsed, with defaults', () => {
    expect(parseSettings(ads, { url: 'https://example.com' })).toEqual({
      url: 'https://example.com',
      ttlDays: 30,
    });
    expect(parseConnectionSettings(ads, undefined)).toEqual({});
    expect(parseConnectionSettings(ads, null)).toEqual({});
  });

  it('are refused with a message that names the plugin and each field, or the whole', () => {
    const problems = [
      { path: '', message: 'is no text' },
      { path: 'url', message: 'is no address' },
    ];
    expect(new InvalidSettingsError('acme-ads', 'settings', problems).message).toBe(
      'The settings of plugin acme-ads are not valid. settings: is no text; url: is no address',
    );
  });

  it('are refused with the name of a field that there is not, cut where it is long', () => {
    expect(problemsOf(() => parseCredentials(drop, { ['x'.repeat(101)]: 1 }))).toEqual([
      { path: 'x'.repeat(100), message: 'is not known; there are no fields' },
    ]);
  });

  it('are refused with every problem at once', () => {
    expect(problemsOf(() => parseSettings(ads, { url: 'no', ttlDays: -1, tll: 3 }))).toEqual([
      { path: 'tll', message: 'is not known; the fields are url, ttlDays' },
      { path: 'url', message: expect.any(String) },
      { path: 'ttlDays', message: expect.any(String) },
    ]);
    expect(problemsOf(() => parseSettings(ads, 'text'))).toEqual([{ path: '', message: expect.any(String) }]);
  });

  it('may hold further fields where the plugin says so', () => {
    expect(parseSettings(drop, { path: '/drop', more: 1 })).toEqual({ path: '/drop', more: 1 });
  });

  it('never put a credential into the error', () => {
    const error = errorOf(() => parseCredentials(ads, { token: 'hunter2' }));
    expect(error).toBeInstanceOf(InvalidSettingsError);
    expect(`${error.message} ${JSON.stringify(error)}`).toMatch(/acme-ads.*token/);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('hunter2');
  });
});

function errorOf(call: () => unknown): InvalidSettingsError {
  try {
    call();
  } catch (error) {
    if (error instanceof InvalidSettingsError) return error;
  }
  throw new Error('Nothing was refused.');
}

function problemsOf(call: () => unknown) {
  return errorOf(call).problems;
}
