import { describe, expect, it } from '@jest/globals';
import { hostOf } from './host.js';

describe('the host of a workspace URL', () => {
  it.each([
    ['app.example.com', 'app.example.com'],
    ['https://App.Example.com/', 'app.example.com'],
    ['  http://app.example.com:8080/login?next=/x#y ', 'app.example.com:8080'],
    ['https://app.example.com:443', 'app.example.com'],
    ['localhost', 'localhost'],
  ])('of %s is %s', (given, expected) => {
    expect(hostOf(given)).toBe(expected);
  });

  it.each(['', 'https://', 'two words', 'user@example.com', '-example.com', 'a'.repeat(300)])(
    'of %j is none',
    (given) => {
      expect(hostOf(given)).toBeUndefined();
    },
  );
});
