const A = 0x41;
const LETTERS = 26;

/** A cell's place as `C12` says it: 0-based column and 1-based row; undefined where the text says none. */
export function parseReference(reference: string): { column: number; row: number } | undefined {
  let index = 0;
  let column = 0;
  for (; index < reference.length; index++) {
    const letter = reference.charCodeAt(index) - A;
    if (letter < 0 || letter >= LETTERS) break;
    column = column * LETTERS + letter + 1;
  }
  let row = 0;
  const lettersEnd = index;
  for (; index < reference.length; index++) {
    const digit = reference.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    row = row * 10 + digit;
  }
  return lettersEnd === 0 || row === 0 ? undefined : { column: column - 1, row };
}

/** The 0-based column of its letters. */
export function columnOf(letters: string): number {
  let column = 0;
  for (let index = 0; index < letters.length; index++) {
    column = column * LETTERS + letters.charCodeAt(index) - A + 1;
  }
  return column - 1;
}

/** `column C` for the 0-based column 2. */
export function columnName(column: number): string {
  let letters = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / LETTERS)) {
    letters = String.fromCharCode(A + ((rest - 1) % LETTERS)) + letters;
  }
  return `column ${letters}`;
}
