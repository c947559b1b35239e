/** Audiences a workspace may hold unless it sets its own limit. */
export const DEFAULT_AUDIENCE_LIMIT = 10_000;
