import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { shapeProblemsOf } from './connector-shape.js';

const nothing = () => undefined;
const about = {
  id: 'acme-ads-2',
  name: 'Acme',
  description: 'Acme.',
  version: '1.0.0',
  settings: z.object({}),
  credentials: z.object({}),
  check: nothing,
};
const output = {
  ...about,
  kind: 'output',
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'sha256' }],
  limits: { batchSize: 1 },
  audience: { add: nothing },
};
const schedule = { ...about, kind: 'input', open: nothing, trigger: { type: 'schedule', list: nothing } };
const hook = {
  type: 'webhook',
  path: 'acme/files-2',
  maxBytes: nothing,
  authenticate: nothing,
  receive: nothing,
};
const webhook = { ...about, kind: 'input', trigger: hook };

/** What zod calls a schema of an object, but for one thing. */
const zodLike = (change: object) => ({ _zod: {}, shape: {}, safeParse: nothing, ...change });

const ID = 'id must be kebab-case';
const VERSION = 'version must be a semantic version such as 1.0.0';
const SETTINGS = 'settings must be a z.object() of zod 4';
const IDENTITIES = 'identities must list at least one { type, encoding } of the hub';
const BATCH_SIZE = 'limits.batchSize must be a whole number above 0';
const ADD = 'audience.add must be a function';
const ATTRIBUTES = 'attributes must be "none" or "optional", or absent';
const TRIGGER = 'trigger.type must be "schedule", "webhook" or "upload"';
const PATH = 'the path of a webhook must be like "acme/files"';

describe('the shape of a connector', () => {
  it.each([
    ['an output', output],
    ['an input that is asked at times', schedule],
    ['an input that is called', webhook],
    ['an input that files are uploaded to', { ...about, kind: 'input', trigger: { type: 'upload' } }],
    ['the zod of another package', { ...output, settings: zodLike({}), connectionSettings: zodLike({}) }],
    ['an id of one letter', { ...output, id: 'a' }],
    ['a version before a release', { ...output, version: '10.20.30-rc.1+linux' }],
    ['a path of one word', { ...webhook, trigger: { ...hook, path: 'acme' } }],
    ['no attributes', { ...output, attributes: 'none' }],
    ['attributes', { ...output, attributes: 'optional' }],
    [
      'a profile',
      { ...output, identities: [{ type: 'email', encoding: 'sha256', profile: 'meta@2024-07' }] },
    ],
  ])('is sound: %s', (_, connector) => {
    // toEqual takes [undefined] for nothing.
    expect(shapeProblemsOf(connector)).toStrictEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'acme-ads'],
    ['a function', nothing],
  ])('is not that of %s', (_, connector) => {
    expect(shapeProblemsOf(connector)).toEqual(['it is no object']);
  });

  it.each([
    ...['Acme', 'acme--ads', '-acme', 'acme-', '2acme', 'acme ads', '', 7].map((id) => [{ id }, ID] as const),
    ...['1.0', '1.0.0 beta', 'v1.0.0', '1.0.0-', '1..0', 1].map((version) => [{ version }, VERSION] as const),
    ...['', ' ', 7].map((name) => [{ name }, 'name must be a text'] as const),
    [{ description: ' ' }, 'description must be a text'],
    [{ credentials: undefined }, 'credentials must be a z.object() of zod 4'],
    [{ check: 'yes' }, 'check must be a function'],
    ...[null, z.string(), zodLike({ _zod: 1 }), zodLike({ shape: null }), zodLike({ safeParse: 1 })].map(
      (settings) => [{ settings }, SETTINGS] as const,
    ),
    [{ connectionSettings: {} }, 'connectionSettings must be a z.object() of zod 4'],
    ...[
      undefined,
      'email',
      [],
      [{ type: 'email', encoding: 'raw' }, 'email'],
      [null],
      [{ type: 'shoe_size', encoding: 'raw' }],
      [{ type: 'email', encoding: 'rot13' }],
      [{ type: ['email'], encoding: 'raw' }],
      [{ type: 'email', encoding: ['raw'] }],
      [{ type: 'email' }],
    ].map((identities) => [{ identities }, IDENTITIES] as const),
    [{ attributes: 'some' }, ATTRIBUTES],
    [{ attributes: null }, ATTRIBUTES],
    ...[undefined, null, {}, { batchSize: 0 }, { batchSize: 1.5 }, { batchSize: '10' }].map(
      (limits) => [{ limits }, BATCH_SIZE] as const,
    ),
    ...[undefined, null, {}, { add: 'yes' }].map((audience) => [{ audience }, ADD] as const),
    [{ kind: 'both' }, 'kind must be "input" or "output"'],
  ])('of an output is refused with %j: %s', (change, problem) => {
    expect(shapeProblemsOf({ ...output, ...change })).toEqual([problem]);
  });

  it.each([
    [{ trigger: undefined }, TRIGGER, schedule],
    [{ trigger: { type: 'moon' } }, TRIGGER, schedule],
    [{ trigger: { type: 'schedule' } }, 'a trigger "schedule" must have a function list', schedule],
    [{ open: undefined }, 'open must be a function', schedule],
    ...['', '/acme', 'acme/', 'acme//files', 'Acme', 'acme?x', undefined].map(
      (path) => [{ trigger: { ...hook, path } }, PATH, webhook] as const,
    ),
    ...['maxBytes', 'authenticate', 'receive'].map((name) => {
      const problem = `a trigger "webhook" must have a function ${name}`;
      return [{ trigger: { ...hook, [name]: 1 } }, problem, webhook] as const;
    }),
  ])('of an input is refused with %j: %s', (change, problem, input) => {
    expect(shapeProblemsOf({ ...input, ...change })).toEqual([problem]);
  });

  it('is refused with each profile that the hub does not know or that has no rule', () => {
    const identities = [
      { type: 'email', encoding: 'sha256', profile: 'acme@2020-01' },
      { type: 'email', encoding: 'sha256', profile: 7 },
      { type: 'npi', encoding: 'sha256', profile: 'meta@2024-07' },
      { type: 'phone', encoding: 'sha256' },
    ];
    const unknown = expect.stringMatching(
      /^the profile of email must be one of google@2025-06, .*meta@2024-07/,
    );
    expect(shapeProblemsOf({ ...output, identities })).toEqual([
      unknown,
      unknown,
      'the profile meta@2024-07 has no rule for npi',
    ]);
    const odd = [{ type: 'shoe_size', encoding: 'raw', profile: 'acme@2020-01' }];
    expect(shapeProblemsOf({ ...output, identities: odd })).toEqual([IDENTITIES]);
  });
});
