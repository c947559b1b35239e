/** The entity tag without its quotes, and the size: a tag alone is only as strong as the server makes it. */
export function revisionOf(etag: string, sizeBytes: number): string {
  return `${etag.replaceAll('"', '')}:${sizeBytes}`;
}

export function etagOf(revision: string): string {
  return `"${revision.slice(0, revision.lastIndexOf(':'))}"`;
}
