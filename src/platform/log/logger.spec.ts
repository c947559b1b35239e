import { describe, expect, it } from '@jest/globals';
import { createLogger, NestLogger, type LogOptions } from './index.js';

function captured(format: LogOptions['format'], level: LogOptions['level'] = 'trace') {
  const lines: string[] = [];
  const log = createLogger({
    level,
    format,
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { log, lines };
}

describe('createLogger', () => {
  it('redacts secrets by the name of their field, at any depth it is used with', () => {
    const { log, lines } = captured('json');
    const canary = 'canary-4711';
    log.info({ authorization: canary, secret: canary }, 'top');
    log.info(
      { request: { headers: { authorization: canary, 'x-api-key': canary, cookie: canary } } },
      'request',
    );
    log.info(
      { output: { credentials: { anything: canary } }, headers: { 'set-cookie': [canary] } },
      'output',
    );
    log.child({ password: canary }).warn({ a: { b: { c: { token: canary } } } }, 'deep');
    expect(lines).toHaveLength(4);
    expect(lines.join()).not.toContain(canary);
    expect(lines.join()).toContain('[redacted]');
  });

  it('writes one readable line for people', () => {
    const { log, lines } = captured('pretty');
    log.child({ context: 'imports' }).info({ rows: 3, file: 'a b.csv' }, 'published\nversion 2');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d INFO  {2}imports {2}published version 2 {2}rows=3 {2}file="a b.csv"\n$/,
    );
  });

  it('puts the stack of an error below the line', () => {
    const { log, lines } = captured('pretty');
    log.error({ err: new Error('no space') }, 'import failed');
    expect(lines[0]).toMatch(/ERROR {2}import failed\n {4}Error: no space\n {4}at /);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = captured('json', 'warn');
    log.info('not written');
    log.warn('written');
    expect(lines).toHaveLength(1);
  });
});

describe('NestLogger', () => {
  it('passes message, context and stack on', () => {
    const { log, lines } = captured('json');
    const nest = new NestLogger(log);
    nest.log('Mapped {/health, GET} route', 'RouterExplorer');
    nest.error('boom', 'Error: boom\n    at x.js:1:1', 'ExceptionsHandler');
    nest.warn(new Error('careful'), 'Other');
    const [mapped, failed, warned] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(mapped).toMatchObject({
      level: 20,
      context: 'RouterExplorer',
      msg: 'Mapped {/health, GET} route',
    });
    expect(failed).toMatchObject({
      level: 50,
      context: 'ExceptionsHandler',
      err: { stack: 'Error: boom\n    at x.js:1:1' },
    });
    expect(warned).toMatchObject({ level: 40, context: 'Other', err: { message: 'careful' } });
  });
});
