import { createHmac } from 'node:crypto';
import type { FakePartner, PartnerAnswer, PartnerRequest } from '../../src/kit/testing/index.js';

export const ACCOUNT = 'act_1029384756';
const VERSION = 'v25.0';
const MAX_ROWS = 10_000;
const KEYS = new Set('EXTERN_ID EMAIL PHONE GEN DOBY DOBM DOBD LN FN FI CT ST ZIP MADID COUNTRY'.split(' '));
const HASH = /^[0-9a-f]{64}$/;
const SOURCES = new Set(['USER_PROVIDED_ONLY', 'PARTNER_PROVIDED_ONLY', 'BOTH_USER_AND_PARTNER_PROVIDED']);
const MAX_SAMPLES = 100;

/** What the stand-in begins with, and whom it refuses. */
export interface FakeMetaOptions {
  /** The only token taken; any where absent. */
  accessToken?: string;
  /** Requests need a proof of it where it is set. */
  appSecret?: string;
  /** Counts invalid entries without samples. */
  mute?: boolean;
  /** Places of rows that are called invalid. */
  invalid?: readonly number[];
  tosAccepted?: boolean;
  accountStatus?: number;
}

interface Audience {
  name: string;
  subtype: string;
  description: string;
  rows: Set<string>;
  spec?: unknown;
}

interface Upload {
  schema: string[];
  data: string[][];
}

/** Custom audiences of the Marketing API as far as the plugin uses them, with its limits and its errors. */
export class FakeMeta implements FakePartner {
  readonly audiences = new Map<string, Audience>();
  /** Batches of replacements under way, by audience and session. */
  readonly #sessions = new Map<string, { batches: Map<number, string[]>; closed: boolean }>();
  /** Audiences ever made: an id is never given twice. */
  #made = 0;

  constructor(private readonly options: FakeMetaOptions = {}) {}

  answer({ method, url, headers, body }: PartnerRequest): PartnerAnswer {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const [, version, id = '', edge = ''] = /^\/(v[\d.]+)\/([^/]+)\/?(\w*)$/.exec(pathname) ?? [];
    if (version !== VERSION) return refusal(400, 2635, undefined, `Unsupported version: ${version}`);
    const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === undefined || (this.options.accessToken ?? token) !== token) {
      return refusal(401, 190, 463, 'Error validating access token: Session has expired.');
    }
    const given = (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>;
    const { appSecret } = this.options;
    const proof = given.appsecret_proof ?? searchParams.get('appsecret_proof');
    if (appSecret && proof !== createHmac('sha256', appSecret).update(token).digest('hex')) {
      return refusal(400, 100, undefined, 'Invalid appsecret_proof provided in the API argument');
    }
    if (id.startsWith('act_')) return this.account(method, id, edge, searchParams, given);
    const audience = this.audiences.get(id);
    if (!audience) return refusal(400, 100, 33, `Unsupported request. Object with ID '${id}' does not exist`);
    return this.audience(method, id, edge, audience, given);
  }

  state(): unknown {
    const lists = [...this.audiences].map(([id, { name, rows, spec }]) => [id, name, [...rows].sort(), spec]);
    return structuredClone(lists);
  }

  private account(
    method: string,
    id: string,
    edge: string,
    query: URLSearchParams,
    given: Record<string, unknown>,
  ): PartnerAnswer {
    if (id !== ACCOUNT)
      return refusal(403, 200, undefined, 'Ad account owner has NOT granted ads_management');
    if (edge === '') {
      const { tosAccepted = true, accountStatus = 1 } = this.options;
      return json(200, {
        id,
        account_status: accountStatus,
        tos_accepted: tosAccepted ? { custom_audience_tos: 1 } : {},
      });
    }
    if (method === 'GET') {
      const [filter] = JSON.parse(query.get('filtering') ?? '[]') as { value: string }[];
      const all = [...this.audiences].map(([own, { name, description }]) => ({ id: own, name, description }));
      return json(200, { data: all.filter(({ name }) => filter === undefined || name === filter.value) });
    }
    return this.make(given);
  }

  private make(given: Record<string, unknown>): PartnerAnswer {
    const { name, subtype, description = '', customer_file_source: source } = given;
    const id = String(23850000000000000n + BigInt(this.#made));
    this.#made += 1;
    const audience = { name: String(name), subtype: String(subtype), description: String(description) };
    if (subtype === 'LOOKALIKE') {
      const origin = this.audiences.get(String(given.origin_audience_id));
      if (!origin) return refusal(400, 100, 33, 'The origin audience does not exist');
      const spec = JSON.parse(String(given.lookalike_spec)) as { ratio: number; country: string };
      if (origin.rows.size < 100) return refusal(400, 2654, 1870001, 'The source audience is too small');
      this.audiences.set(id, { ...audience, rows: new Set(), spec });
      return json(200, { id });
    }
    if (typeof name !== 'string' || subtype !== 'CUSTOM' || !SOURCES.has(String(source))) {
      return refusal(400, 100, undefined, 'Invalid parameter');
    }
    if (this.options.tosAccepted === false) return refusal(400, 2663, 1870090, 'Terms not accepted');
    this.audiences.set(id, { ...audience, rows: new Set() });
    return json(200, { id, message: 'To add users to your audience, use the users edge.' });
  }

  private audience(
    method: string,
    id: string,
    edge: string,
    audience: Audience,
    given: Record<string, unknown>,
  ): PartnerAnswer {
    if (edge === '' && method === 'DELETE') {
      this.audiences.delete(id);
      return json(200, { success: true });
    }
    if (edge === '') {
      const size = audience.rows.size;
      return json(200, { approximate_count_lower_bound: size, approximate_count_upper_bound: size, id });
    }
    const upload = given.payload as Upload;
    const problem = problemOf(upload);
    if (problem !== undefined) return refusal(400, 100, undefined, problem);
    const refused = new Set(this.options.invalid);
    const invalid = upload.data.filter(
      (row, index) => refused.has(index) || row.some((cell) => cell !== '' && !HASH.test(cell)),
    );
    const valid = upload.data.filter((row) => !invalid.includes(row)).map((row) => row.join(' '));
    if (edge === 'usersreplace') {
      const problem = this.replace(id, audience, given.session as Record<string, unknown>, valid);
      if (problem) return problem;
    } else if (method === 'DELETE') for (const row of valid) audience.rows.delete(row);
    else for (const row of valid) audience.rows.add(row);
    const samples = this.options.mute ? [] : invalid.slice(0, MAX_SAMPLES).map((row) => row.join(','));
    return json(200, {
      audience_id: id,
      session_id: '1',
      num_received: upload.data.length,
      num_invalid_entries: invalid.length,
      ...(invalid.length === 0 ? {} : { invalid_entry_samples: samples }),
    });
  }

  /** Batches of a session are known by their number; the last one makes them the whole list. */
  private replace(
    id: string,
    audience: Audience,
    session: Record<string, unknown>,
    rows: string[],
  ): PartnerAnswer | undefined {
    const key = `${id} ${String(session.session_id)}`;
    const known = this.#sessions.get(key) ?? { batches: new Map<number, string[]>(), closed: false };
    const place = Number(session.batch_seq);
    if (known.closed) return undefined;
    if (!/^\d+$/.test(String(session.session_id)) || place < 1 || place > known.batches.size + 1) {
      return refusal(400, 2650, 1870147, 'The batches of a session go in their order');
    }
    this.#sessions.set(key, known);
    known.batches.set(place, rows);
    if (session.last_batch_flag !== true) return undefined;
    known.closed = true;
    audience.rows.clear();
    // Who matches nobody is in no audience.
    for (const row of [...known.batches].slice(0, -1).flatMap(([, all]) => all)) audience.rows.add(row);
    return undefined;
  }
}

function problemOf({ schema, data }: Upload): string | undefined {
  if (!Array.isArray(schema) || schema.some((key) => !KEYS.has(key))) return 'Unknown key in the schema';
  if (data.length === 0) return 'The payload has no data';
  if (data.length > MAX_ROWS) return `Batch has ${data.length} users; at most ${MAX_ROWS}`;
  return data.some((row) => row.length !== schema.length)
    ? 'A row has other columns than the schema'
    : undefined;
}

/** An error as the Graph API has them. */
export function refusal(
  status: number,
  code: number,
  subcode: number | undefined,
  message: string,
  headers: Record<string, string> = {},
): PartnerAnswer {
  const error = { message, type: 'OAuthException', code, error_subcode: subcode, fbtrace_id: 'AbCd-1_xYz' };
  return json(status, { error }, headers);
}

function json(status: number, body: object, headers: Record<string, string> = {}): PartnerAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(body),
  };
}
