import { describe, expect, it } from '@jest/globals';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { createLogger } from './index.js';
import { errorShapeOf } from './error-shape.js';

function logged(err: unknown): string {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  });
  log.error({ err }, 'failed');
  return lines.join('');
}

describe('errors in the log', () => {
  it('keep type, message, code, stack and cause', () => {
    const cause = Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    const shape = errorShapeOf(new Error('went wrong', { cause }));
    expect(shape).toMatchObject({
      type: 'Error',
      message: 'went wrong',
      cause: { type: 'RangeError', message: 'too far', code: 'E_FAR' },
    });
    expect(shape.stack).toMatch(/^Error: went wrong\n\s+at .*error-shape\.spec/);
  });

  it('hold no parameters of queries', () => {
    const cause = Object.assign(new Error('duplicate key value violates unique constraint "users_email"'), {
      code: '23505',
      detail: 'Key (email)=(canary@example.com) already exists.',
    });
    const error = new DrizzleQueryError('insert into users values ($1)', ['canary@example.com'], cause);
    const line = logged(error);
    expect(line).toContain('insert into users values ($1)');
    expect(line).toContain('users_email');
    expect(line).not.toContain('canary');
  });

  it('hold no value that the database could not read', () => {
    const error = Object.assign(new Error('invalid input syntax for type uuid: "canary "quoted" name"'), {
      code: '22P02',
    });
    const line = logged(error);
    expect(line).toContain('invalid input syntax for type uuid');
    expect(line).not.toMatch(/canary|name/);
  });

  it('hold nothing of what is thrown and is no error', () => {
    expect(logged('canary')).not.toContain('canary');
  });

  it('end where causes run in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(logged(error)).toContain('round');
  });
});
