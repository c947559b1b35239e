import { z } from 'zod';
import {
  ConnectorError,
  fault,
  faultFromStatus,
  LIST_GONE,
  type FaultKind,
  type HttpResponse,
} from '../../src/kit/index.js';

/**
 * The error model of Google's APIs (google.rpc.Status). Its texts may quote what they refuse, so none of them is
 * repeated: only reasons, which are words of an enumeration.
 */
const googleError = z.object({
  error: z.object({
    status: z.string(),
    details: z
      .array(
        z.looseObject({
          '@type': z.string(),
          reason: z.string().optional(),
          requestId: z.string().optional(),
          retryDelay: z.string().optional(),
          fieldViolations: z
            .array(z.looseObject({ field: z.string().default(''), reason: z.string().optional() }))
            .optional(),
        }),
      )
      .default([]),
  }),
});

type Detail = z.output<typeof googleError>['error']['details'][number];

/** What a reason stands for. */
interface Meaning {
  kind: FaultKind;
  code: string;
  message: string;
}

const refused = (kind: FaultKind, code: string, message: string): Meaning => ({ kind, code, message });

const TERMS = refused(
  'config',
  'TERMS_NOT_ACCEPTED',
  'The terms of Customer Match are not accepted for the operating account. An admin accepts them in Google Ads, under Data manager.',
);
const NAME_TAKEN = refused(
  'config',
  'NAME_TAKEN',
  'The account has another list of that name. Give the audience another external name.',
);
const NAME_REFUSED = refused(
  'config',
  'NAME_REFUSED',
  'Google takes no list of that name. Choose another one.',
);
const NOT_ELIGIBLE = refused(
  'config',
  'ACCOUNT_INACTIVE',
  'Google does not let this account use Customer Match. See the policies of the account in Google Ads.',
);
const NOT_UPDATABLE = refused(
  'config',
  'AUDIENCE_NOT_UPDATABLE',
  'The list takes no contact data: it was made for another kind of data, closed, or belongs to another account.',
);

/** Reasons by what somebody has to do. developers.google.com/data-manager/api/reference/rest/v1/ErrorReason */
const BY_REASON: Readonly<Record<string, Meaning>> = {
  TERMS_AND_CONDITIONS_NOT_SIGNED: TERMS,
  ADVERTISER_TOS_NOT_ACCEPTED: TERMS,
  DISPLAY_NAME_ALREADY_USED: NAME_TAKEN,
  ALREADY_EXISTS: NAME_TAKEN,
  INVALID_DISPLAY_NAME: NAME_REFUSED,
  USER_LIST_NAME_RESERVED: NAME_REFUSED,
  NOT_ALLOWLISTED: NOT_ELIGIBLE,
  ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA: NOT_ELIGIBLE,
  ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA: NOT_ELIGIBLE,
  INVALID_USER_LIST_TYPE: NOT_UPDATABLE,
  INVALID_USER_LIST_ID: NOT_UPDATABLE,
  OWNERSHIP_REQUIRED_FOR_UPDATE: NOT_UPDATABLE,
  USER_LIST_MUTATION_NOT_SUPPORTED: NOT_UPDATABLE,
  SENSITIVE_USER_LIST_IMMUTABLE: NOT_UPDATABLE,
  EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED: refused(
    'config',
    'DECLARATION_MISSING',
    'Campaigns of the account do not declare whether they are political advertising in the EU. Declare it in Google Ads.',
  ),
  SERVICE_DISABLED: refused(
    'auth',
    'PERMISSION_DENIED',
    'The Data Manager API is not enabled in the Google Cloud project of the credentials. Enable it there.',
  ),
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: refused(
    'auth',
    'PERMISSION_DENIED',
    'The grant lacks the scope datamanager. Have the user consent to it, and put in the new refresh token.',
  ),
};

const PERMISSION = refused(
  'auth',
  'PERMISSION_DENIED',
  'The credentials have no access to the account, or no such account is there. Give their user or service account standard access, or correct operatingAccountId and loginAccountId.',
);

/** By the canonical code, where no reason says more. */
const BY_STATUS: Readonly<Record<string, Meaning>> = {
  UNAUTHENTICATED: refused(
    'auth',
    'TOKEN_INVALID',
    'Google takes none of the access tokens that the credentials give. Put in new credentials.',
  ),
  PERMISSION_DENIED: PERMISSION,
  NOT_FOUND: refused(
    'config',
    LIST_GONE,
    'Google knows no such list: it was deleted, or taken away. Resume makes it anew.',
  ),
};

/** Google's own failures: trying again may help. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'INTERNAL',
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'CANCELLED',
]);

/** Where a field is of a member: `audience_members.audience_members[12].user_data…`. */
const OF_A_MEMBER = /audience_?members\[\d+\]/i;

/** The fault that an answer stands for. */
export function faultOf(response: HttpResponse): ConnectorError {
  const told = googleError.safeParse(bodyOf(response));
  if (!told.success) return withoutBody(response);
  const { status, details } = told.data.error;
  const violations = details.flatMap(({ fieldViolations = [] }) => fieldViolations);
  const ofMembers = violations.filter(({ field }) => OF_A_MEMBER.test(field));
  const others = violations.filter(({ field }) => !OF_A_MEMBER.test(field));
  const reasons = wordsOf([...others, ...details]);
  const trace = traceOf(status, [...reasons, ...wordsOf(ofMembers)], details);
  if (status === 'RESOURCE_EXHAUSTED' || response.status === 429) {
    const message = `The limit of requests of the Google Cloud project is used up (${trace}).`;
    return fault.rateLimited('RATE_LIMITED', message, waitOf(response, details));
  }
  if (TRANSIENT.has(status) || (response.status >= 500 && response.status !== 501)) {
    const message = `Google had a failure of its own (${trace}).`;
    return fault.retryable('GOOGLE_FAILED', message, waitOf(response, details));
  }
  const known = reasons.map((reason) => BY_REASON[reason]).find((one) => one !== undefined);
  const meaning = known ?? BY_STATUS[status];
  if (meaning) return new ConnectorError(meaning.kind, meaning.code, `${meaning.message} (${trace})`);
  if (ofMembers.length > 0 && others.length === 0) {
    return fault.permanent('INVALID_MEMBER', `Google does not take an identifier of the member (${trace}).`);
  }
  return fault.config(
    'GOOGLE_REFUSED',
    `Google refused the request, and not for its members (${trace}). Correct the settings of the output or the connection.`,
  );
}

function withoutBody({ status, retryAfterMs }: HttpResponse): ConnectorError {
  if (status >= 400 && status < 500 && ![401, 403, 408, 423, 429].includes(status)) {
    return fault.config('GOOGLE_REFUSED', `Google answered ${status} without a reason. Check the settings.`);
  }
  return faultFromStatus(status, `Google answered ${status} without a reason.`, retryAfterMs);
}

/** Reasons, each once. */
function wordsOf(all: readonly { reason?: string | undefined }[]): string[] {
  const words = all
    .map(({ reason = '' }) => reason)
    .filter((reason) => /^[A-Z][A-Z0-9_]{2,100}$/.test(reason));
  return [...new Set(words)];
}

/** For Google's support: words and an id of the request that say nothing of what was in it. */
function traceOf(status: string, reasons: readonly string[], details: readonly Detail[]): string {
  const [id] = details.flatMap(({ requestId = '' }) => (/^[\w-]{4,100}$/.test(requestId) ? [requestId] : []));
  const said = [...wordsOf([{ reason: status }]), ...reasons.filter((reason) => reason !== status)].slice(
    0,
    5,
  );
  return [...said, ...(id === undefined ? [] : [`request ${id}`])].join(', ');
}

/** Milliseconds of RetryInfo (`"12.5s"`), else of a Retry-After header. */
function waitOf({ retryAfterMs }: HttpResponse, details: readonly Detail[]): number | undefined {
  for (const { retryDelay = '' } of details) {
    const [, seconds] = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(retryDelay) ?? [];
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000);
  }
  return retryAfterMs;
}

function bodyOf(response: HttpResponse): unknown {
  try {
    return response.json();
  } catch {
    return undefined;
  }
}
