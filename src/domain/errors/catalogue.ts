/**
 * Every error code the HTTP API answers with, its status and its title. docs/errors.md lists the same codes
 * and says what to do; a spec holds the two against each other. Codes are never renamed.
 */
export const ERRORS = {
  VALIDATION_FAILED: { status: 400, title: 'The request is not valid' },
  MALFORMED_BODY: { status: 400, title: 'The body cannot be read' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be served' },
  ACCOUNT_ON_HOLD: { status: 400, title: 'The account is on hold' },
  UNAUTHENTICATED: { status: 401, title: 'An API key is needed' },
  FORBIDDEN: { status: 403, title: 'The API key may not do this' },
  NOT_FOUND: { status: 404, title: 'There is no such thing' },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such address' },
  ALREADY_EXISTS: { status: 409, title: 'It exists already' },
  IN_USE: { status: 409, title: 'Something still needs it' },
  WRONG_STATE: { status: 409, title: 'Its state does not allow this' },
  PLAN_STALE: { status: 409, title: 'The plan does not hold any more' },
  LIMIT_REACHED: { status: 409, title: 'A limit is reached' },
  GONE: { status: 410, title: 'It is no longer there' },
  TUS_VERSION_UNSUPPORTED: { status: 412, title: 'The version of tus is not spoken here' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: 'The body has a type that is not read' },
  SETTINGS_INVALID: { status: 422, title: 'The settings do not fit the plugin' },
  PLUGIN_UNKNOWN: { status: 422, title: 'There is no such plugin' },
  ATTRIBUTES_REFUSED: { status: 422, title: 'The output does not take such attributes' },
  VARIANT_UNKNOWN: { status: 422, title: 'There is no such variant' },
  NAME_REFUSED: { status: 422, title: 'The partner would refuse the name' },
  ADDRESS_REFUSED: { status: 422, title: 'The hub may not speak to this address' },
  FOLDER_REFUSED: { status: 422, title: 'The hub may not use this folder' },
  PUSH_REFUSED: { status: 422, title: 'The file cannot be taken' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'The hub failed' },
  UNAVAILABLE: { status: 503, title: 'A part of the hub does not answer' },
} as const satisfies Record<string, { status: number; title: string }>;

/** One of the codes of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;
