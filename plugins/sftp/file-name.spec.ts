import { describe, expect, it } from '@jest/globals';
import { assert, date, property, string, uniqueArray } from 'fast-check';
import { pathOf, plainName, templateProblem } from './file-name.js';

const facts = {
  audience: 'Spring',
  operation: 'add' as const,
  fromVersion: 3,
  toVersion: 4,
  batchId: 'b1',
  at: new Date('2026-02-03T04:05:06.789Z'),
};

describe('the name of a file', () => {
  it('is the template with the facts in it', () => {
    expect(pathOf('{audience}/{date}/{operation}-{from}-{version}_{time}-{batch}', facts)).toBe(
      'Spring/2026-02-03/add-3-4_040506-b1',
    );
  });

  it('is made of letters that every server takes, whatever the audience is called', () => {
    assert(
      property(string({ unit: 'grapheme' }), (audience) => {
        expect(pathOf('{audience}', { ...facts, audience })).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,239}$/);
      }),
    );
  });

  it('is another one for every other audience', () => {
    assert(
      property(uniqueArray(string({ unit: 'grapheme' }), { minLength: 2, maxLength: 2 }), ([one, other]) => {
        expect(plainName(one ?? '')).not.toBe(plainName(other ?? ''));
      }),
    );
  });

  it('depends on nothing but its facts', () => {
    const at = date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
    assert(
      property(string(), at, (audience, when) => {
        const template = '{audience}_{date}_{time}_{batch}';
        const named = () => pathOf(template, { ...facts, audience, at: when });
        expect(named()).toBe(named());
      }),
    );
  });

  it('is cut where a template makes it too long, and still another one for another batch', () => {
    const long = { ...facts, audience: 'a'.repeat(100) };
    const template = '{audience}{audience}{audience}-{batch}';
    const [one, other] = ['b1', 'b2'].map((batchId) => pathOf(template, { ...long, batchId }));
    expect(one).toHaveLength(240);
    expect(one).not.toBe(other);
  });

  it.each(['{audience}', '{audience}_{batch}', 'x/{audience}-{date}/{batch}.{version}'])(
    'may be made by %s',
    (template) => {
      expect(templateProblem(template, template.includes('batch') ? 'changes' : 'members')).toBeUndefined();
    },
  );
});
