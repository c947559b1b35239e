import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { archiveName, exportFileNames } from './export-names.js';

const AT = new Date('2018-11-29T17:21:36.999Z');

describe('export names', () => {
  it('are those of the download they promise', () => {
    expect(archiveName('9dd9b6dc-f0ec-4acf-8b18-f3a357afe1c3', new Date('2019-01-02T20:42:23Z'))).toBe(
      'Audiences_204223Jan022019_9dd9.zip',
    );
    expect(exportFileNames([{ audienceId: 8754, audienceName: 'Potential Parisians' }], AT)).toEqual([
      '8754_PotentialParisians_172136Nov292018.csv',
    ]);
  });

  it('tell variants apart, also those whose names are reduced to the same', () => {
    const file = { audienceId: 1, audienceName: 'A' };
    const names = exportFileNames([file, { ...file, variantName: 'b!' }, { ...file, variantName: 'B?' }], AT);
    expect(names).toEqual([
      '1_A_172136Nov292018.csv',
      '1_A_b_172136Nov292018.csv',
      '1_A_B_2_172136Nov292018.csv',
    ]);
  });

  it('count further variants that are reduced to the same', () => {
    const file = { audienceId: 1, audienceName: 'A' };
    const variants = ['b', 'b!', 'B', 'b?'].map((variantName) => ({ ...file, variantName }));
    expect(exportFileNames(variants, AT).map((name) => name.replace('_172136Nov292018.csv', ''))).toEqual([
      '1_A_b',
      '1_A_b_2',
      '1_A_B_3',
      '1_A_b_4',
    ]);
  });

  it('cut long names between characters, at 120 bytes', () => {
    const nameOf = (audienceName: string) =>
      exportFileNames([{ audienceId: 1, audienceName }], AT)[0]?.replace('_172136Nov292018.csv', '');
    expect(nameOf('a'.repeat(121))).toBe(`1_${'a'.repeat(120)}`);
    expect(nameOf('a'.repeat(120))).toBe(`1_${'a'.repeat(120)}`);
    expect(nameOf(`a${'é'.repeat(60)}`)).toBe(`1_a${'é'.repeat(59)}`);
  });

  it('keep names of other scripts and stand in for names without letters', () => {
    expect(exportFileNames([{ audienceId: 2, audienceName: '春のセール' }], AT)).toEqual([
      '2_春のセール_172136Nov292018.csv',
    ]);
    expect(exportFileNames([{ audienceId: 3, audienceName: '🎉/..' }], AT)).toEqual([
      '3_Audience_172136Nov292018.csv',
    ]);
  });

  it('hold no path, fit every file system and never collide', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', 'A', '/', '\\', '.', ':', '\0', ' ', '_'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      maxLength: 255,
    });
    const file = fc.record({
      audienceId: fc.integer({ min: 1, max: 3 }),
      audienceName: text,
      variantName: fc.option(text, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 8 }), (files) => {
        const names = exportFileNames(files, AT);
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(files.length);
        for (const name of names) {
          expect(name).toMatch(/^\d+_[\p{L}\p{M}\p{N}_-]+_172136Nov292018\.csv$/u);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        }
      }),
    );
  });
});
