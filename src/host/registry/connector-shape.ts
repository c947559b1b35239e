import { isIdentityType } from '../../kit/index.js';

const KEBAB_CASE = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const SEMVER = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/;

/**
 * What keeps `connector` from being a connector, in words; empty where nothing does. Structural, because
 * a plugin from outside brings its own copy of zod and of the kit, and `instanceof` would refuse it.
 */
export function shapeProblemsOf(connector: unknown): string[] {
  if (!isRecord(connector)) return ['it is no object'];
  const problems = [
    ...expect(matches(connector.id, KEBAB_CASE), 'id must be kebab-case'),
    ...expect(isText(connector.name), 'name must be a text'),
    ...expect(isText(connector.description), 'description must be a text'),
    ...expect(matches(connector.version, SEMVER), 'version must be a semantic version such as 1.0.0'),
    ...expect(isZodObject(connector.settings), 'settings must be a z.object() of zod 4'),
    ...expect(isZodObject(connector.credentials), 'credentials must be a z.object() of zod 4'),
    ...expect(typeof connector.check === 'function', 'check must be a function'),
  ];
  if (connector.kind === 'input') return [...problems, ...inputProblems(connector)];
  if (connector.kind === 'output') return [...problems, ...outputProblems(connector)];
  return [...problems, 'kind must be "input" or "output"'];
}

function inputProblems({ trigger, open }: Record<string, unknown>): string[] {
  return [
    ...expect(
      isRecord(trigger) && trigger.type === 'schedule' && typeof trigger.list === 'function',
      'trigger must be { type: "schedule", list }',
    ),
    ...expect(typeof open === 'function', 'open must be a function'),
  ];
}

function outputProblems(connector: Record<string, unknown>): string[] {
  const { identities, limits, audience, connectionSettings } = connector;
  return [
    ...expect(isZodObject(connectionSettings), 'connectionSettings must be a z.object() of zod 4'),
    ...expect(
      Array.isArray(identities) && identities.length > 0 && identities.every(isIdentityForm),
      'identities must list at least one { type, encoding } of the hub',
    ),
    ...expect(
      isRecord(limits) && Number.isInteger(limits.batchSize) && Number(limits.batchSize) > 0,
      'limits.batchSize must be a whole number above 0',
    ),
    ...expect(isRecord(audience) && typeof audience.add === 'function', 'audience.add must be a function'),
  ];
}

function isIdentityForm(form: unknown): boolean {
  return (
    isRecord(form) &&
    typeof form.type === 'string' &&
    isIdentityType(form.type) &&
    ['raw', 'md5', 'sha1', 'sha256'].includes(String(form.encoding))
  );
}

function isZodObject(schema: unknown): boolean {
  return (
    isRecord(schema) &&
    isRecord(schema._zod) &&
    isRecord(schema.shape) &&
    typeof schema.safeParse === 'function'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function expect(holds: boolean, problem: string): string[] {
  return holds ? [] : [problem];
}
