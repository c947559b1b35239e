import { describe, expect, it } from '@jest/globals';
import { columnName, columnOf, parseReference } from './cell-reference.js';

describe('references of cells', () => {
  it.each([
    ['A1', 0, 1],
    ['Z10', 25, 10],
    ['AA209', 26, 209],
    ['XFD1048576', 16_383, 1_048_576],
  ])('say with %s the column %d and the row %d', (reference, column, number) => {
    expect(parseReference(reference)).toEqual({ column, row: number });
    const letters = reference.replaceAll(/\d/g, '');
    expect(columnOf(letters)).toBe(column);
    expect(columnName(column)).toBe(`column ${letters}`);
  });

  it.each(['', 'A', '1', 'A0', 'a1', '[1', '@1', 'A1b', 'A:1', 'A/1', 'A1B2'])(
    'say nothing with "%s"',
    (reference) => {
      expect(parseReference(reference)).toBeUndefined();
    },
  );
});
