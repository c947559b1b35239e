import { problemOfForm } from '../../domain/normalisation/index.js';
import {
  isIdentityEncoding,
  isIdentityType,
  isNormalisationProfile,
  NORMALISATION_PROFILES,
  type IdentityForm,
} from '../../kit/index.js';

const KEBAB_CASE = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const HOOK_PATH = /^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/;
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
  const known = isRecord(trigger) ? trigger : {};
  switch (known.type) {
    case 'schedule':
      return [
        ...expect(typeof known.list === 'function', 'a trigger "schedule" must have a function list'),
        ...expect(typeof open === 'function', 'open must be a function'),
      ];
    case 'webhook':
      return [
        ...expect(matches(known.path, HOOK_PATH), 'the path of a webhook must be like "acme/files"'),
        ...['maxBytes', 'authenticate', 'receive'].flatMap((name) =>
          expect(typeof known[name] === 'function', `a trigger "webhook" must have a function ${name}`),
        ),
      ];
    case 'upload':
      return [];
    default:
      return ['trigger.type must be "schedule", "webhook" or "upload"'];
  }
}

function outputProblems(connector: Record<string, unknown>): string[] {
  const { identities, attributes = 'none', limits, audience, connectionSettings } = connector;
  return [
    ...expect(isZodObject(connectionSettings), 'connectionSettings must be a z.object() of zod 4'),
    ...expect(
      Array.isArray(identities) && identities.length > 0 && identities.every(isIdentityForm),
      'identities must list at least one { type, encoding } of the hub',
    ),
    ...profileProblems(Array.isArray(identities) ? identities : []),
    ...expect(
      attributes === 'none' || attributes === 'optional',
      'attributes must be "none" or "optional", or absent',
    ),
    ...expect(
      isRecord(limits) && Number.isInteger(limits.batchSize) && Number(limits.batchSize) > 0,
      'limits.batchSize must be a whole number above 0',
    ),
    ...expect(isRecord(audience) && typeof audience.add === 'function', 'audience.add must be a function'),
  ];
}

function isIdentityForm(form: unknown): form is IdentityForm {
  return (
    isRecord(form) &&
    typeof form.type === 'string' &&
    isIdentityType(form.type) &&
    typeof form.encoding === 'string' &&
    isIdentityEncoding(form.encoding)
  );
}

/** What is wrong with the normalisation profiles of the identities. */
function profileProblems(identities: readonly unknown[]): string[] {
  return identities.filter(isIdentityForm).flatMap((form) => {
    const profile: unknown = form.profile;
    if (profile === undefined) return [];
    if (typeof profile !== 'string' || !isNormalisationProfile(profile)) {
      return [`the profile of ${form.type} must be one of ${NORMALISATION_PROFILES.join(', ')}`];
    }
    const problem = problemOfForm(form);
    return problem === undefined ? [] : [problem];
  });
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
