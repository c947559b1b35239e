import type { AnyConnector } from '../public-shape.js';
import { jsonSchemaOf, secretFieldsOf } from '../settings.js';
import { type ContractCheck, ensure } from './contract-check.js';

const KEBAB_CASE = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const SEMVER = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const SOUNDS_SECRET = /secret|token|password|passphrase|credential|private.?key|api.?key|access.?key/i;

/** What every connector promises of its own description. */
export const describingChecks: readonly ContractCheck<AnyConnector, unknown>[] = [
  {
    name: 'the id is kebab-case',
    async run({ id }) {
      ensure(KEBAB_CASE.test(id), `The id "${id}" is not kebab-case, such as "acme-ads".`);
      return Promise.resolve();
    },
  },
  {
    name: 'the version is a semantic version',
    async run({ version }) {
      ensure(SEMVER.test(version), `The version "${version}" is no semantic version, such as 1.0.0.`);
      return Promise.resolve();
    },
  },
  {
    name: 'name and description are given',
    async run({ name, description }) {
      ensure(
        name.trim() !== '' && description.trim() !== '',
        'People choose by name and description: give both.',
      );
      return Promise.resolve();
    },
  },
  {
    name: 'every field of the credentials is marked as secret',
    async run({ credentials }) {
      const marked = new Set(secretFieldsOf(credentials));
      const open = Object.keys(credentials.shape).filter((field) => !marked.has(field));
      ensure(open.length === 0, `Make these credentials with secret(): ${open.join(', ')}.`);
      return Promise.resolve();
    },
  },
  {
    name: 'no setting is a secret',
    async run(connector) {
      const schemas = [
        connector.settings,
        ...(connector.kind === 'output' ? [connector.connectionSettings] : []),
      ];
      const fields = schemas.flatMap((schema) => Object.keys(schema.shape));
      const misplaced = [
        ...fields.filter((field) => SOUNDS_SECRET.test(field)),
        ...schemas.flatMap((schema) => secretFieldsOf(schema)),
      ];
      ensure(
        misplaced.length === 0,
        `Settings are shown to people; move to the credentials: ${misplaced.join(', ')}.`,
      );
      return Promise.resolve();
    },
  },
  {
    name: 'settings and credentials have a JSON Schema',
    async run({ settings, credentials }) {
      for (const schema of [settings, credentials]) {
        ensure(
          jsonSchemaOf(schema).type === 'object',
          'The JSON Schema of settings and credentials is no object.',
        );
      }
      return Promise.resolve();
    },
  },
];
