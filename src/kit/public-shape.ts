import type { Counting } from './counting.js';
import type { InputConnector } from './input.js';
import type { NameRule } from './naming.js';
import type { IdentityForm, OutputConnector, OutputLimits } from './output.js';
import { jsonSchemaOf } from './settings.js';

/** Any connector, whatever its settings. */
export type AnyConnector = InputConnector | OutputConnector;

/** What the public may know of a connector: the catalogue's entry, and what a contract snapshot records. */
export interface PublicShape {
  id: string;
  kind: 'input' | 'output';
  name: string;
  version: string;
  description: string;
  /** JSON Schema; so are the two that follow. Secret fields carry `x-secret: true`. */
  settings: Record<string, unknown>;
  credentials: Record<string, unknown>;
  /** Outputs only, as all that follows but `capabilities`. */
  connectionSettings?: Record<string, unknown>;
  identities?: readonly IdentityForm[];
  /** `optional`: takes the attributes that are chosen for a connection. Absent: takes none. */
  attributes?: 'optional';
  limits?: OutputLimits;
  naming?: NameRule;
  /** What the partner's count is of, and how exact; with the capability `count` and without this: exactly the members. */
  counting?: Counting;
  /** Calls the connector implements: `add`, `remove`, `replace`, … or `schedule` of an input. */
  capabilities: readonly string[];
}

/** The public shape of `connector`: plain data, ready for JSON. */
export function publicShapeOf(connector: AnyConnector): PublicShape {
  const { id, kind, name, version, description } = connector;
  const base = {
    id,
    kind,
    name,
    version,
    description,
    settings: jsonSchemaOf(connector.settings),
    credentials: jsonSchemaOf(connector.credentials),
  };
  if (connector.kind === 'input') return { ...base, capabilities: [connector.trigger.type] };
  return {
    ...base,
    connectionSettings: jsonSchemaOf(connector.connectionSettings),
    identities: connector.identities,
    ...(connector.attributes === 'optional' ? { attributes: connector.attributes } : {}),
    limits: connector.limits,
    ...(connector.naming ? { naming: connector.naming } : {}),
    ...(connector.counting ? { counting: connector.counting } : {}),
    capabilities: capabilitiesOf(connector),
  };
}

function capabilitiesOf(connector: OutputConnector): string[] {
  const known = ['create', 'rename', 'add', 'remove', 'replace', 'poll', 'delete', 'count'] as const;
  return known.filter((capability) => connector.audience[capability] !== undefined);
}
