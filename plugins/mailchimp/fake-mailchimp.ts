import type { FakePartner, PartnerAnswer, PartnerRequest } from '../../src/kit/testing/index.js';
import { type FakeField, FakeMergeFields, USUAL_FIELDS } from './fake-merge-fields.js';

export const LIST_ID = 'a1b2c3d4e5';
const MAX_ADDRESSES = 500;
const STATUSES = new Set(['subscribed', 'unsubscribed', 'cleaned', 'pending', 'transactional']);

/** What the stand-in begins with, and whom it refuses. */
export interface FakeMailchimpOptions {
  /** The only key taken; any with a data center where absent. */
  apiKey?: string;
  /** Contacts by address. */
  contacts?: Record<string, string>;
  /** Addresses that the list refuses. */
  refused?: (address: string, index: number) => boolean;
  /** Finds no tags by their names, as Mailchimp does for a moment. */
  slowSearch?: boolean;
  /** Merge fields of the list; those of a new one where absent. */
  fields?: readonly FakeField[];
  /** Merge fields that the list may have. */
  maxFields?: number;
}

interface Segment {
  name: string;
  members: Set<string>;
}

/** Version 3.0 of the Marketing API as far as the plugin uses it, with its limits and its error bodies. */
export class FakeMailchimp implements FakePartner {
  readonly contacts: Map<string, string>;
  readonly segments = new Map<number, Segment>();
  readonly merge: FakeMergeFields;

  constructor(private readonly options: FakeMailchimpOptions = {}) {
    this.contacts = new Map(Object.entries(options.contacts ?? {}));
    this.merge = new FakeMergeFields(options.fields ?? USUAL_FIELDS, options.maxFields ?? 30);
  }

  answer(request: PartnerRequest): PartnerAnswer {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (!this.isAllowed(request.headers.authorization)) {
      return problem(
        401,
        'API Key Invalid',
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
      );
    }
    const [, base, path = ''] = /^\/3\.0\/lists\/([^/]+)(.*)$/.exec(pathname) ?? [];
    if (base !== LIST_ID) return notFound();
    const body: unknown = request.body === '' ? {} : JSON.parse(request.body);
    if (path === '' && request.method === 'GET') return json(200, { id: LIST_ID });
    if (path === '' && request.method === 'POST') return this.batch(body as BatchBody);
    if (path === '/merge-fields') {
      return request.method === 'GET'
        ? json(200, { merge_fields: this.merge.fields, total_items: this.merge.fields.length })
        : this.makeField(body as Partial<FakeField>);
    }
    if (path === '/tag-search') return this.search(searchParams.get('name') ?? '');
    if (path === '/segments' && request.method === 'POST') return this.makeSegment(body as { name: string });
    const id = Number(/^\/segments\/(\d+)$/.exec(path)?.[1]);
    if (request.method === 'GET') return this.counted(id, searchParams);
    return this.segment(request.method, id, body as SegmentBody);
  }

  state(): unknown {
    const tagged = [...this.segments].map(([id, { name, members }]) => [id, name, [...members].sort()]);
    return structuredClone(tagged);
  }

  private isAllowed(authorization = ''): boolean {
    const [, encoded = ''] = /^Basic (.+)$/.exec(authorization) ?? [];
    const [, key = ''] = /^[^:]+:(.+)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
    return this.options.apiKey === undefined ? /-[a-z]+\d+$/.test(key) : key === this.options.apiKey;
  }

  private batch({ members, update_existing: update }: BatchBody): PartnerAnswer {
    if (members.length > MAX_ADDRESSES) {
      return problem(400, 'Invalid Resource', 'There must be no more than 500 members.');
    }
    const errors: object[] = [];
    const created: object[] = [];
    const updated: object[] = [];
    members.forEach(({ email_address: address, status, merge_fields: fields = {} }, index) => {
      const refuse = (error: string, code: string) =>
        errors.push({ email_address: address, error, error_code: code, field: '', field_message: '' });
      const isThere = this.contacts.has(address);
      const wrongField = this.merge.problemOf(fields);
      if (status === undefined ? !isThere : !STATUSES.has(status)) refuse('Invalid status.', 'ERROR_GENERIC');
      else if (this.options.refused?.(address, index)) {
        refuse(`${address} looks fake or invalid, please enter a real email address.`, 'ERROR_GENERIC');
      } else if (isThere && !update) {
        refuse(`${address} is already a list member`, 'ERROR_CONTACT_EXISTS');
      } else if (wrongField !== undefined) refuse(wrongField, 'ERROR_GENERIC');
      else {
        // As the API does: a status that is given takes the place of the contact's own.
        if (status !== undefined) this.contacts.set(address, status);
        this.merge.keep(address, fields);
        (isThere ? updated : created).push({ email_address: address, status });
      }
    });
    return json(200, {
      new_members: created,
      updated_members: updated,
      errors,
      total_created: created.length,
      total_updated: updated.length,
      error_count: errors.length,
    });
  }

  private makeField(asked: Partial<FakeField>): PartnerAnswer {
    const refusal = this.merge.make(asked);
    return refusal === undefined ? json(200, asked) : problem(400, 'Bad Request', refusal);
  }

  private search(name: string): PartnerAnswer {
    const all = [...this.segments].map(([id, segment]) => ({ id, name: segment.name }));
    const tags = this.options.slowSearch ? [] : all.filter((tag) => tag.name.startsWith(name));
    return json(200, { tags, total_items: tags.length });
  }

  private makeSegment({ name }: { name: string }): PartnerAnswer {
    if ([...this.segments.values()].some((segment) => segment.name === name)) {
      return problem(400, 'Bad Request', 'Sorry, that tag already exists.');
    }
    const id = 5001 + this.segments.size;
    this.segments.set(id, { name, members: new Set() });
    return json(200, { id, name, member_count: 0, type: 'static', list_id: LIST_ID });
  }

  /** Active subscribers, and those of the other statuses that are asked for. */
  private counted(id: number, query: URLSearchParams): PartnerAnswer {
    const segment = this.segments.get(id);
    if (!segment) return notFound();
    const asked = ['cleaned', 'transactional', 'unsubscribed'].filter(
      (status) => query.get(`include_${status}`) === 'true',
    );
    const counted = new Set(['subscribed', 'pending', ...asked]);
    const members = [...segment.members].filter((address) =>
      counted.has(this.contacts.get(address) ?? 'subscribed'),
    );
    return json(200, { id, member_count: members.length });
  }

  private segment(method: string, id: number, body: SegmentBody): PartnerAnswer {
    const segment = this.segments.get(id);
    if (!segment) return notFound();
    if (method === 'DELETE') {
      this.segments.delete(id);
      return { status: 204 };
    }
    if (method === 'PATCH') {
      segment.name = body.name ?? segment.name;
      // As the API does: a list of members that is given takes the place of those there are.
      if (body.static_segment) segment.members.clear();
      return json(200, { id, name: segment.name, member_count: segment.members.size });
    }
    const { members_to_add: add = [], members_to_remove: remove = [] } = body;
    if (add.length > MAX_ADDRESSES || remove.length > MAX_ADDRESSES) {
      return problem(400, 'Invalid Resource', 'The resource submitted could not be validated.');
    }
    const strangers = [...add, ...remove].filter((address) => !this.contacts.has(address));
    for (const address of add) if (this.contacts.has(address)) segment.members.add(address);
    for (const address of remove) segment.members.delete(address);
    const errors = strangers.map((address) => ({
      email_addresses: [address],
      error: `The email address ${address} is not on this list.`,
    }));
    return json(200, { members_added: [], members_removed: [], errors, error_count: errors.length });
  }
}

interface BatchBody {
  members: { email_address: string; status?: string; merge_fields?: Record<string, unknown> }[];
  update_existing: boolean;
}

interface SegmentBody {
  name?: string;
  static_segment?: string[];
  members_to_add?: string[];
  members_to_remove?: string[];
}

function json(status: number, body: object): PartnerAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}

function notFound(): PartnerAnswer {
  return problem(404, 'Resource Not Found', 'The requested resource could not be found.');
}

/** An error in the form of RFC 7807, as the API has them. */
export function problem(status: number, title: string, detail: string): PartnerAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    body: JSON.stringify({
      type: 'https://mailchimp.com/developer/marketing/docs/errors/',
      title,
      status,
      detail,
      instance: '00000000-0000-4000-8000-000000000000',
    }),
  };
}
