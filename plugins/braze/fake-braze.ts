import type { FakePartner, PartnerAnswer, PartnerRequest } from '../../src/kit/testing/index.js';

const MAX_OBJECTS = 75;
const IDENTIFIERS = ['external_id', 'user_alias', 'email', 'phone'] as const;

export type Attributes = Record<string, unknown>;

/** What the stand-in begins with, and whom it refuses. */
export interface FakeBrazeOptions {
  /** The only key taken; any where absent. */
  apiKey?: string;
  /** Who is known; everybody where absent. */
  known?: readonly string[];
  /** Places in the request that are refused. */
  refused?: readonly number[];
  /** Refuses without saying whom. */
  mute?: (attributes: Attributes) => boolean;
}

/** `/users/track` as far as the plugin uses it, with its limits and its error bodies. */
export class FakeBraze implements FakePartner {
  /** Attributes by user. */
  readonly users = new Map<string, Attributes>();

  constructor(private readonly options: FakeBrazeOptions = {}) {
    for (const user of options.known ?? []) this.users.set(user, {});
  }

  answer({ method, url, headers, body }: PartnerRequest): PartnerAnswer {
    if (method !== 'POST' || url !== '/users/track') return json(404, { message: 'Unknown URL' });
    const [, key] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (key === undefined || (this.options.apiKey !== undefined && key !== this.options.apiKey)) {
      return json(401, { message: `Invalid API key: ${key}` });
    }
    const { attributes } = JSON.parse(body) as { attributes: Attributes[] };
    if (attributes.length > MAX_OBJECTS)
      return json(400, { message: 'Max input length exceeded', errors: [] });
    if (attributes.some((one) => IDENTIFIERS.filter((name) => name in one).length === 0)) {
      return json(400, { message: 'A user identifier is required' });
    }
    const refused = new Set(this.options.refused);
    const muted = attributes.some((one) => this.options.mute?.(one));
    attributes.forEach((one, index) => {
      if (!refused.has(index) && !this.options.mute?.(one)) this.apply(one);
    });
    const errors = [...refused]
      .filter((index) => index < attributes.length)
      .map((index) => ({ type: "'attributes' value is not valid", input_array: 'attributes', index }));
    return json(201, {
      message: 'success',
      attributes_processed: attributes.length - errors.length,
      ...(muted ? { errors: ['The user is not valid'] } : errors.length > 0 ? { errors } : {}),
    });
  }

  /** Users that are marked by anything. */
  state(): unknown {
    const marked = [...this.users].filter(([, attributes]) =>
      Object.values(attributes).some((value) => value === true || (Array.isArray(value) && value.length > 0)),
    );
    return structuredClone(marked.sort(([one], [other]) => one.localeCompare(other)));
  }

  private apply(attributes: Attributes): void {
    const way = IDENTIFIERS.find((name) => name in attributes) ?? 'external_id';
    const user = JSON.stringify(attributes[way]);
    const open = this.options.known === undefined;
    const isCheck = attributes.external_id === 'audience-hub-check';
    const kept = this.users.get(user);
    if (isCheck || (!kept && !open && attributes._update_existing_only === true)) return;
    const changed: Attributes = { ...kept };
    for (const [name, value] of Object.entries(attributes)) {
      if (name === way || name === '_update_existing_only') continue;
      if (value === null) delete changed[name];
      else if (typeof value === 'object') changed[name] = changedArray(changed[name], value);
      else changed[name] = value;
    }
    this.users.set(user, changed);
  }
}

interface ArrayChange {
  add?: string[];
  remove?: string[];
}

/** Arrays of Braze hold each value once. */
function changedArray(kept: unknown, { add = [], remove = [] }: ArrayChange): string[] {
  const values = new Set([...(Array.isArray(kept) ? (kept as string[]) : []), ...add]);
  for (const value of remove) values.delete(value);
  return [...values];
}

function json(status: number, body: object): PartnerAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
