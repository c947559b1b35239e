import { describe, expect, it } from '@jest/globals';
import { delimiterByHeader, delimiterByRecords, delimiterName } from './delimiter.js';

/** Reads lines that hold no quotes. */
const linesOf = (text: string) => (delimiter: string) =>
  text === '' ? [] : text.split('\n').map((line) => line.split(delimiter));

describe('the delimiter of a file with header', () => {
  it.each([
    ['makes columns that are known, though another makes more', 'email;note|a|b|c', ';'],
    ['makes columns that are known, though a more usual one makes more', 'email|a,b,c', '|'],
    ['makes the most columns where several make known ones', 'email,note|a|b|phone', '|'],
    ['makes the most columns where none is known', 'a,b;c;d', ';'],
    ['is the more usual one of two that make as many', 'a|b;c', ';'],
    ['is the comma where nothing is divided', 'email', ','],
    ['is the comma in an empty file', '', ','],
    ['goes by the header alone', 'a,b\n1;2;3;4', ','],
  ])('%s', (_, text, delimiter) => {
    expect(delimiterByHeader(linesOf(text))).toBe(delimiter);
  });

  it.each([',', '|'])('is none that makes a single known column (%s)', (undivided) => {
    const read = (delimiter: string) => [
      delimiter === undivided ? ['email'] : delimiter === ';' ? ['a', 'b'] : [],
    ];
    expect(delimiterByHeader(read)).toBe(';');
  });
});

describe('the delimiter of a file without header', () => {
  it.each([
    ['splits most records into as many columns as expected', 'a;1\nb;2\nc,3', 2, ';'],
    ['is not the one that splits them into more', 'a,1,2|x\nb,2,3|y', 2, '|'],
    ['is the comma where none splits any so', 'a\nb', 2, ','],
    ['of ids splits all of them alike', 'a\t1\nb\t2', 1, '\t'],
    ['of ids is the comma where another splits some alone', 'a;1\nb', 1, ','],
    ['of ids is the comma where another splits them unlike', 'a;1\nb;2;3', 1, ','],
    ['of ids is never one that ids may hold', 'auth|1\nauth|2', 1, ','],
    ['of ids is the comma where there are none', '', 1, ','],
  ])('%s', (_, text, columns, delimiter) => {
    expect(delimiterByRecords(linesOf(text), columns)).toBe(delimiter);
  });
});

it.each([
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', '|'],
  ['^', '^'],
])('The delimiter %j is called %s', (delimiter, name) => {
  expect(delimiterName(delimiter)).toBe(name);
});
