import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { actAs, asRequest, asSystem, changesOf, currentRequest } from './index.js';

describe('changesOf', () => {
  it('tells shown fields with their values and named ones without', () => {
    const before = {
      name: 'a',
      settings: { url: 'https://one.example.com', size: 1 },
      credentials: 'x',
      at: 1,
    };
    const after = {
      name: 'b',
      settings: { url: 'https://two.example.com', size: 1 },
      credentials: 'y',
      at: 2,
    };
    expect(changesOf(before, after, { shown: ['name'], named: ['settings', 'credentials'] })).toEqual({
      name: { from: 'a', to: 'b' },
      'settings.url': 'changed',
      credentials: 'changed',
    });
  });

  it('takes null and absent for the same, and is empty where nothing changed', () => {
    expect(changesOf({ a: null }, {}, { shown: ['a'] })).toEqual({});
    expect(changesOf(undefined, { a: 1 }, { shown: ['a', 'b'] })).toEqual({ a: { to: 1 } });
  });

  it('never repeats a value of a field that is only named', () => {
    const secret = fc.string({ minLength: 12 }).map((text) => `secret-${text}`);
    fc.assert(
      fc.property(secret, secret, (one, other) => {
        const [before, after] = [
          { settings: { key: one }, credentials: one },
          { settings: { key: other }, credentials: other },
        ];
        const told = JSON.stringify(changesOf(before, after, { named: ['settings', 'credentials'] }));
        return !told.includes('secret-');
      }),
    );
  });
});

describe('a request', () => {
  it('is known to all that it awaits, and to nothing beside it', async () => {
    const idOf = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentRequest()?.actor.name;
    };
    const as = (name: string) =>
      asRequest(async () => {
        actAs({ kind: 'key', name });
        return [await idOf(), await asSystem(idOf)];
      });
    expect(await Promise.all([as('one'), as('two')])).toEqual([
      ['one', undefined],
      ['two', undefined],
    ]);
    expect(currentRequest()).toBeUndefined();
  });
});
