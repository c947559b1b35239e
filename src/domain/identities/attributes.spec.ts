import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { attributeColumns, sharedAttributes } from './attributes.js';
import { foldHeader } from './columns.js';

/** Columns that make no identity, every other one of the file. */
const columnsOf = (names: readonly string[]) =>
  attributeColumns({ attributes: names.map((name, index) => ({ name, column: index * 2 })) });

describe('the attributes of a file', () => {
  it('go by their names without outer blanks, and by a key for every spelling of it', () => {
    expect(columnsOf([' Shoe_Size ', 'Loyalty tier'])).toStrictEqual({
      kept: [
        { key: 'shoesize', name: 'Shoe_Size', column: 0 },
        { key: 'loyaltytier', name: 'Loyalty tier', column: 2 },
      ],
      leftOut: [],
    });
  });

  it('are the first fifty columns of a usable name, and the rest is said in file order', () => {
    const names = Array.from({ length: 53 }, (_, index) => `Note ${index}`);
    const long = 'x'.repeat(101);
    const { kept, leftOut } = columnsOf([...names.slice(0, 3), long, ...names.slice(3)]);
    expect(kept.map(({ name }) => name)).toEqual(names.slice(0, 50));
    expect(leftOut.map(({ name, column }) => [name, column])).toEqual([
      [long, 6],
      ['Note 50', 102],
      ['Note 51', 104],
      ['Note 52', 106],
    ]);
  });

  it('have names of at most a hundred characters, outer blanks aside', () => {
    expect(columnsOf([` ${'x'.repeat(100)} `]).leftOut).toEqual([]);
    expect(columnsOf(['x'.repeat(101)]).kept).toEqual([]);
  });
});

describe('the attributes that are shared', () => {
  it('have the name that was chosen first of those that mean the same, and none is without', () => {
    expect(sharedAttributes([' Shoe Size', 'tier', ' - ', '', 'shoe_size', 'TIER'])).toStrictEqual([
      { key: 'shoesize', name: 'Shoe Size' },
      { key: 'tier', name: 'tier' },
    ]);
  });

  it('are found in a file however it spells and orders them', () => {
    const names = fc.uniqueArray(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => foldHeader(name) !== ''),
      { maxLength: 8, selector: foldHeader },
    );
    const spellings = fc.constantFrom<((name: string) => string)[]>(
      (name) => name,
      (name) => ` ${name}\t`,
      (name) => `_${name}-`,
      (name) => foldHeader(name),
    );
    fc.assert(
      fc.property(names, spellings, (chosen, spelled) => {
        const inFile = columnsOf(chosen.toReversed().map((name) => spelled(name))).kept.map(({ key }) => key);
        expect(inFile.toReversed()).toEqual(sharedAttributes(chosen).map(({ key }) => key));
      }),
    );
  });
});
