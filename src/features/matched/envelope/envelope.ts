/** What IQM's older calls answer (all of v2, and the column list): status and content in one object. */
export interface ObjectEnvelope {
  statusCode: number;
  responseObject: unknown;
}

/** What IQM's v3 calls answer. */
export type SuccessEnvelope =
  | { success: true; data: unknown }
  | { success: false; data?: unknown; errorObjects: { error: string; reason?: string }[] };

const OF_IQM = /^\/api\/v[23](?:\/|$)/;
const OBJECT_STYLE = /^\/api\/v2\/|^\/api\/v3\/audience\/static\/matched\/column-list\/?$/;

/** True for the paths that answer as IQM does, whatever goes wrong. */
export function isIqmPath(path: string): boolean {
  return OF_IQM.test(path);
}

/** The same error as IQM would put it at this path. */
export function errorEnvelope(
  path: string,
  status: number,
  message: string,
): ObjectEnvelope | SuccessEnvelope {
  if (OBJECT_STYLE.test(path)) {
    return { statusCode: status, responseObject: { errorMsg: message, errorCode: status } };
  }
  return { success: false, errorObjects: [{ error: message }] };
}

/** A success of a v2 call. */
export function objectEnvelope(responseObject: unknown): ObjectEnvelope {
  return { statusCode: 200, responseObject };
}

/** A success of a v3 call. */
export function successEnvelope(data: unknown): SuccessEnvelope {
  return { success: true, data };
}
