import type { FakePartner, PartnerAnswer, PartnerRequest } from '../../../src/kit/testing/index.js';
import { invalid, json, refusal } from './answers.js';
import type { TokenEndpoint } from './token-endpoint.js';
import { type Account, type Identifier, type UploadRequest, violationsOf } from './upload-rules.js';

export const ACCOUNT = '1234567890';
export const PARENT = `accountTypes/GOOGLE_ADS/accounts/${ACCOUNT}`;
const DAY_SECONDS = 86_400;
const MAX_DAYS = 540;

/** What became of an upload, but for SUCCESS: for all of it, or for so many records by reason. */
export type Outcome =
  | { status: 'FAILED'; reasons?: Record<string, number> }
  | { status: 'PARTIAL_SUCCESS'; reasons?: Record<string, number>; warnings?: Record<string, number> };

export interface FakeGoogleOptions {
  /** Gives out the only tokens taken; any token where absent. */
  tokens?: TokenEndpoint;
  /** Account that requests have to log in by; the operating one where absent. */
  login?: string;
  /** Looks at an upload that find it still being worked on. */
  looks?: number;
  /** What becomes of uploads, by their place, beginning with 0. */
  outcome?: (upload: number, request: UploadRequest) => Outcome | undefined;
}

interface List {
  displayName: string;
  description?: string;
  integrationCode?: string;
  membershipDuration: string;
  uploadKeyTypes: string[];
  /** Members by the text of their identifiers. */
  members: Map<string, Identifier[]>;
}

interface Upload {
  operation: 'ingest' | 'remove';
  list: List;
  request: UploadRequest;
  looksLeft: number;
  outcome: Outcome | undefined;
  done: boolean;
}

/** The Data Manager API as far as the plugin uses it, with its limits and errors, for one account. */
export class FakeGoogle implements FakePartner {
  readonly lists = new Map<string, List>();
  readonly uploads: Upload[] = [];
  /** Answers instead, where it gives one: for a request with a token that is taken. */
  refuse: ((path: string) => PartnerAnswer | undefined) | undefined;
  #made = 0;

  constructor(readonly options: FakeGoogleOptions = {}) {}

  answer(request: PartnerRequest): PartnerAnswer {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const { tokens, login } = this.options;
    if (pathname === '/token') return tokens?.answer(request) ?? { status: 404 };
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined || (tokens && !tokens.accepts(token))) {
      return refusal('UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED');
    }
    const own = login === undefined ? undefined : `accountTypes/GOOGLE_ADS/accounts/${login}`;
    if (own !== undefined && request.headers['login-account'] !== own) return refusal('PERMISSION_DENIED');
    const refused = this.refuse?.(pathname);
    if (refused) return refused;
    const body = (request.body === '' ? {} : JSON.parse(request.body)) as Record<string, unknown>;
    const [, operation] = /^\/v1\/audienceMembers:(ingest|remove)$/.exec(pathname) ?? [];
    if (operation && request.method === 'POST') return this.upload(operation as 'ingest' | 'remove', body);
    if (pathname === '/v1/requestStatus:retrieve') return this.status(searchParams.get('requestId') ?? '');
    const [, parent, , id] =
      /^\/v1\/(accountTypes\/\w+\/accounts\/\d+)\/userLists(\/(\d+))?$/.exec(pathname) ?? [];
    if (parent === undefined) return refusal('NOT_FOUND');
    if (parent !== PARENT) return refusal('PERMISSION_DENIED');
    if (id === undefined) {
      return request.method === 'POST' ? this.make(body, searchParams) : this.list(searchParams);
    }
    return this.one(request.method, id, body, searchParams);
  }

  state(): unknown {
    return [...this.lists].map(([id, list]) => [id, list.displayName, this.membersOf(id)]);
  }

  /** Identifiers of each member, in an order of their own. */
  membersOf(id: string): string[] {
    return [...(this.lists.get(id)?.members.keys() ?? [])].sort();
  }

  private make(body: Record<string, unknown>, query: URLSearchParams): PartnerAnswer {
    const text = (field: string) => (typeof body[field] === 'string' ? body[field] : undefined);
    const displayName = text('displayName') ?? '';
    const info = body.ingestedUserListInfo as { uploadKeyTypes?: string[] } | undefined;
    const duration = text('membershipDuration') ?? `${MAX_DAYS * DAY_SECONDS}s`;
    const seconds = Number(/^(\d+)s$/.exec(duration)?.[1]);
    const keyTypes = info?.uploadKeyTypes ?? [];
    if (displayName === '')
      return invalid({ field: 'user_list.display_name', reason: 'REQUIRED_FIELD_MISSING' });
    if (keyTypes.length !== 1) {
      return invalid({ field: 'user_list', reason: 'UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES' });
    }
    if (!(seconds > 0) || seconds % DAY_SECONDS !== 0) {
      return invalid({ field: 'user_list.membership_duration', reason: 'INVALID_FORMAT' });
    }
    if (seconds > MAX_DAYS * DAY_SECONDS) {
      return invalid({ field: 'user_list.membership_duration', reason: 'MEMBERSHIP_DURATION_TOO_LONG' });
    }
    if ([...this.lists.values()].some((list) => list.displayName === displayName)) {
      return invalid({ field: 'user_list.display_name', reason: 'DISPLAY_NAME_ALREADY_USED' });
    }
    if (query.get('validateOnly') === 'true') return json(200, {});
    this.#made += 1;
    const id = String(8_000_000_000 + this.#made);
    const own = (field: string) => (text(field) === undefined ? {} : { [field]: text(field) });
    const list = { displayName, membershipDuration: duration, uploadKeyTypes: keyTypes, members: new Map() };
    this.lists.set(id, { ...list, ...own('description'), ...own('integrationCode') });
    return json(200, this.shown(id));
  }

  private list(query: URLSearchParams): PartnerAnswer {
    const [, code] = /^integration_code = "([^"]+)"$/.exec(query.get('filter') ?? '') ?? [];
    if (query.has('filter') && code === undefined)
      return invalid({ field: 'filter', reason: 'INVALID_FILTER' });
    const found = [...this.lists].filter(([, list]) => code === undefined || list.integrationCode === code);
    const size = Number(query.get('pageSize') ?? 50);
    return json(200, { userLists: found.slice(0, size).map(([id]) => this.shown(id)) });
  }

  private one(
    method: string,
    id: string,
    body: Record<string, unknown>,
    query: URLSearchParams,
  ): PartnerAnswer {
    const list = this.lists.get(id);
    if (!list) return refusal('NOT_FOUND');
    if (method === 'DELETE') {
      this.lists.delete(id);
      return json(200, {});
    }
    if (method === 'PATCH') {
      if (query.get('updateMask') !== 'displayName')
        return invalid({ field: 'update_mask', reason: 'INVALID_UPDATE_MASK' });
      list.displayName = String(body.displayName);
    }
    return json(200, this.shown(id));
  }

  private shown(id: string): object {
    const { members, uploadKeyTypes, ...list } = this.lists.get(id) ?? {
      members: new Map(),
      uploadKeyTypes: [],
    };
    const count = String(members.size);
    return {
      name: `${PARENT}/userLists/${id}`,
      id,
      ...list,
      readOnly: false,
      membershipStatus: 'OPEN',
      accessReason: 'OWNED',
      sizeInfo: { displayNetworkMembersCount: count, searchNetworkMembersCount: count },
      ingestedUserListInfo: { uploadKeyTypes },
    };
  }

  private upload(operation: 'ingest' | 'remove', request: UploadRequest): PartnerAnswer {
    const violations = violationsOf(request);
    if (violations.length > 0) return invalid(...violations.slice(0, 20));
    const [destination] = request.destinations ?? [];
    const list = this.lists.get(destination?.productDestinationId ?? '');
    if (!this.hasAccess(destination)) return refusal('PERMISSION_DENIED');
    // As Google says of it: no permission, or no such resource.
    if (!list) return refusal('PERMISSION_DENIED');
    const accepted = request.termsOfService?.customerMatchTermsOfServiceStatus === 'ACCEPTED';
    if (operation === 'ingest' && !accepted) {
      return invalid({ field: 'terms_of_service', reason: 'TERMS_AND_CONDITIONS_NOT_SIGNED' });
    }
    if (request.validateOnly) return json(200, {});
    const outcome = this.options.outcome?.(this.uploads.length, request);
    const upload = { operation, list, request, looksLeft: this.options.looks ?? 0, outcome, done: false };
    const number = this.uploads.push(upload);
    if (upload.looksLeft === 0) this.finish(upload);
    return json(200, { requestId: `request/${number}` });
  }

  private hasAccess(
    destination: { operatingAccount?: Account; loginAccount?: Account } | undefined,
  ): boolean {
    const { operatingAccount, loginAccount } = destination ?? {};
    const { login } = this.options;
    return (
      operatingAccount?.accountId === ACCOUNT && (login === undefined || loginAccount?.accountId === login)
    );
  }

  /** Records that failed are those at the end of the request. */
  private finish(upload: Upload): void {
    upload.done = true;
    const { operation, list, request, outcome } = upload;
    const members = request.audienceMembers ?? [];
    const failed = outcome?.status === 'FAILED' ? members.length : sumOf(outcome?.reasons);
    for (const { userData } of members.slice(0, Math.max(0, members.length - failed))) {
      const identifiers = userData?.userIdentifiers ?? [];
      if (operation === 'ingest') list.members.set(JSON.stringify(identifiers), identifiers);
      else removeFrom(list, identifiers);
    }
  }

  private status(requestId: string): PartnerAnswer {
    const upload = this.uploads[Number(/^request\/(\d+)$/.exec(requestId)?.[1]) - 1];
    if (!upload) return invalid({ field: 'request_id', reason: 'INVALID_REQUEST_ID' });
    if (upload.looksLeft > 0) {
      upload.looksLeft -= 1;
      return json(200, { requestStatusPerDestination: [{ requestStatus: 'PROCESSING' }] });
    }
    if (!upload.done) this.finish(upload);
    const { operation, request, outcome } = upload;
    const recordCount = String(request.audienceMembers?.length ?? 0);
    const counts = { userDataIngestionStatus: { recordCount } };
    const destination = {
      destination: request.destinations?.[0],
      requestStatus: outcome?.status ?? 'SUCCESS',
      ...(operation === 'ingest'
        ? { audienceMembersIngestionStatus: counts }
        : { audienceMembersRemovalStatus: { userDataRemovalStatus: { recordCount } } }),
      ...(outcome?.reasons ? { errorInfo: { errorCounts: countsOf(outcome.reasons) } } : {}),
      ...(outcome && 'warnings' in outcome && outcome.warnings
        ? { warningInfo: { warningCounts: countsOf(outcome.warnings) } }
        : {}),
    };
    return json(200, { requestStatusPerDestination: [destination] });
  }
}

/** Whoever has one of the identifiers leaves. */
function removeFrom(list: List, identifiers: readonly Identifier[]): void {
  const gone = new Set(identifiers.map((one) => JSON.stringify(one)));
  for (const [key, own] of list.members) {
    if (own.some((one) => gone.has(JSON.stringify(one)))) list.members.delete(key);
  }
}

function countsOf(reasons: Record<string, number>): object[] {
  return Object.entries(reasons).map(([reason, count]) => ({ reason, recordCount: String(count) }));
}

function sumOf(reasons: Record<string, number> = {}): number {
  return Object.values(reasons).reduce((sum, count) => sum + count, 0);
}
