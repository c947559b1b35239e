import { z } from 'zod';
import {
  ConnectorError,
  fault,
  faultFromStatus,
  LIST_GONE,
  type FaultKind,
  type HttpResponse,
} from '../../src/kit/index.js';

/** The error object of the Graph API. Its texts may quote what they refuse, so none of them is repeated. */
const graphError = z.object({
  error: z.object({
    code: z.int(),
    error_subcode: z.int().optional(),
    is_transient: z.boolean().optional(),
    fbtrace_id: z.string().optional(),
  }),
});

type GraphError = z.output<typeof graphError>['error'];

/** What an error code stands for. */
interface Meaning {
  kind: FaultKind;
  code: string;
  message: string;
}

const TOKEN: Meaning = {
  kind: 'auth',
  code: 'TOKEN_INVALID',
  message:
    'The access token is expired, revoked or of another app. Make a new one for the system user and put it in.',
};
const PERMISSION: Meaning = {
  kind: 'auth',
  code: 'PERMISSION_DENIED',
  message:
    'The token lacks a permission: the app needs ads_management, and its system user the ad account with "Manage ad account".',
};
const BUSY: Meaning = {
  kind: 'retryable',
  code: 'AUDIENCE_BUSY',
  message: 'Meta is still working on an earlier change of the audience.',
};
const TERMS: Meaning = {
  kind: 'config',
  code: 'TERMS_NOT_ACCEPTED',
  message:
    'The terms for custom audiences are not accepted. An admin of the ad account accepts them at https://business.facebook.com/ads/manage/customaudiences/tos/.',
};
const MISSING: Meaning = {
  kind: 'config',
  code: LIST_GONE,
  message:
    'Meta knows no such audience for this token: it was deleted, or the access taken away. Resume makes it anew.',
};
const TRANSIENT: Meaning = {
  kind: 'retryable',
  code: 'META_FAILED',
  message: 'Meta had a failure of its own.',
};

/** Errors that a subcode tells more of than the code. https://developers.facebook.com/docs/marketing-api/error-reference */
const BY_SUBCODE: Readonly<Record<string, Meaning>> = {
  '100/33': MISSING,
  '100/1713230': {
    kind: 'config',
    code: 'AUDIENCE_BLOCKED',
    message:
      'Meta flagged the audience (operation_status 471). Appeal in Audience Manager, or make another one.',
  },
  '100/1870034': TERMS,
  '100/1870090': TERMS,
  '2650/1870145': BUSY,
};

const BY_CODE: Readonly<Record<number, Meaning>> = {
  1: TRANSIENT,
  2: TRANSIENT,
  3: PERMISSION,
  10: PERMISSION,
  102: TOKEN,
  190: TOKEN,
  463: TOKEN,
  467: TOKEN,
  368: {
    kind: 'config',
    code: 'ACCOUNT_BLOCKED',
    message: 'Meta blocked this account for its policies. See Account Quality in Business Manager.',
  },
  803: {
    ...BUSY,
    code: 'AUDIENCE_NOT_READY',
    message: 'Meta does not know the audience yet that it has just made.',
  },
  2650: {
    kind: 'config',
    code: 'AUDIENCE_NOT_UPDATABLE',
    message:
      'Meta cannot change this audience: it was made from another kind of data, or is shared with this account.',
  },
  2654: {
    kind: 'config',
    code: 'AUDIENCE_NOT_CREATED',
    message: 'Meta did not make the audience. The ad account may have 500 custom audiences; delete some.',
  },
  2663: TERMS,
};

/** Limits of apps, users and accounts; 80000 to 80014 are those of business use cases (80003: custom audiences). */
const RATE_LIMITS: ReadonlySet<number> = new Set([4, 17, 32, 341, 613]);

/** The fault that an answer stands for. */
export function faultOf(response: HttpResponse, body: unknown): ConnectorError {
  const told = graphError.safeParse(body);
  if (!told.success) {
    const { status, retryAfterMs } = response;
    return faultFromStatus(status, `Meta answered ${status}. ${adviceFor(status)}`, retryAfterMs);
  }
  const { error } = told.data;
  const trace = traceOf(error);
  if (RATE_LIMITS.has(error.code) || (error.code >= 80_000 && error.code <= 80_014)) {
    const message = `Meta's limit of calls is used up (${trace}). A higher access tier of the app has more.`;
    return fault.rateLimited('RATE_LIMITED', message, waitOf(response));
  }
  const meaning = meaningOf(error);
  if (meaning) return new ConnectorError(meaning.kind, meaning.code, `${meaning.message} (${trace})`);
  const code = error.code === 100 ? 'INVALID_PARAMETER' : `META_${error.code}`;
  const message = `Meta refused the request (${trace}). It will be refused again as it is.`;
  return response.status >= 500 ? fault.retryable(code, message) : fault.permanent(code, message);
}

function meaningOf(error: GraphError): Meaning | undefined {
  const known = BY_SUBCODE[`${error.code}/${error.error_subcode}`] ?? BY_CODE[error.code];
  if (known) return known;
  if (error.code >= 200 && error.code <= 299) return PERMISSION;
  return error.is_transient === true ? TRANSIENT : undefined;
}

/** For Meta's support: numbers, and an id of the request that says nothing of what was in it. */
function traceOf({ code, error_subcode: subcode, fbtrace_id: trace }: GraphError): string {
  const id = trace !== undefined && /^[\w-]{4,40}$/.test(trace) ? `, trace ${trace}` : '';
  return `code ${code}${subcode === undefined ? '' : `/${subcode}`}${id}`;
}

const useCases = z.record(
  z.string(),
  z.array(z.looseObject({ estimated_time_to_regain_access: z.number().nonnegative().optional() })),
);
const accountUsage = z.looseObject({ reset_time_duration: z.number().nonnegative().optional() });

/** Milliseconds until calls are taken again: minutes of business use cases, seconds of an ad account. */
function waitOf({ headers, retryAfterMs }: HttpResponse): number | undefined {
  const cases = useCases.safeParse(jsonOf(headers['x-business-use-case-usage']));
  const minutes = cases.success
    ? Object.values(cases.data).flatMap((all) => all.map((one) => one.estimated_time_to_regain_access ?? 0))
    : [];
  const account = accountUsage.safeParse(jsonOf(headers['x-ad-account-usage']));
  const seconds = account.success ? (account.data.reset_time_duration ?? 0) : 0;
  const waitMs = Math.max(0, seconds * 1000, ...minutes.map((one) => one * 60_000));
  return waitMs > 0 ? waitMs : retryAfterMs;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'Make a new access token and put it in.';
  if (status === 429) return 'The limit of calls is used up.';
  if (status >= 500) return 'See metastatus.com if it lasts.';
  return 'The request will be refused again as it is.';
}
