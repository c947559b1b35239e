import { NOTICE_KINDS, type NoticeKind } from './kinds.js';

/** One thing that happened. Names of audiences, keys of files, codes and ids; never a person's data. */
export interface NoticeContent {
  /** What happened, as a subject. */
  headline: string;
  /** Why, and what was expected. */
  message: string;
  /** Where: label and value. */
  facts: readonly (readonly [label: string, value: string])[];
  /** What to do next. */
  next: readonly string[];
  /** All of it in one line, for a mail that tells of many. */
  line: string;
}

/** What a mail says, as text and as HTML. */
export interface ComposedMail {
  subject: string;
  text: string;
  html: string;
}

/** Lines of one kind that a mail of many lists. */
export const LISTED_LINES = 20;

/** The notices of one kind in a mail of many. */
export interface GatheredKind {
  kind: NoticeKind;
  total: number;
  /** Oldest first, at most {@link LISTED_LINES}. */
  lines: readonly string[];
}

const COUNTED: Record<NoticeKind, readonly [one: string, many: string, list: string]> = {
  import_failed: ['import failed', 'imports failed', 'imports?state=failed'],
  import_held: ['import is held', 'imports are held', 'imports?state=held'],
  import_recovered: ['import succeeded again', 'imports succeeded again', 'imports?state=published'],
  connection_faulted: ['connection has a fault', 'connections have faults', 'faults?open=true'],
  connection_recovered: ['connection goes on', 'connections go on', 'faults?open=false'],
  count_differs: ['count differs', 'counts differ', 'connections?status=active'],
  export_ready: ['download is ready', 'downloads are ready', 'exports?state=ready'],
};

/** The mail that tells of one thing. */
export function composeOne({ headline, message, facts, next }: NoticeContent): ComposedMail {
  const where = facts.map(([label, value]) => `${label}: ${value}`);
  const text = [message, ...paragraph(where), ...paragraph(next)].join('\n');
  const rows = facts.map(
    ([label, value]) => `<tr><th align="left">${safe(label)}</th><td>${safe(value)}</td></tr>`,
  );
  const html = page(headline, [
    `<p>${safe(message)}</p>`,
    ...(rows.length > 0 ? [`<table cellpadding="4">${rows.join('')}</table>`] : []),
    ...next.map((line) => `<p>${linked(line)}</p>`),
  ]);
  return { subject: headline, text, html };
}

/** The mail that tells of many things at once: counts, the first lines, and where the rest is. */
export function composeGathered(
  workspace: { id: string; name: string },
  gathered: readonly GatheredKind[],
  apiUrl: string,
): ComposedMail {
  const kinds = [...gathered].sort((a, b) => NOTICE_KINDS.indexOf(a.kind) - NOTICE_KINDS.indexOf(b.kind));
  const counts = kinds.map(({ kind, total }) => counted(kind, total)).join(', ');
  const subject = `${workspace.name}: ${counts}`;
  const sections = kinds.map((part) => ({
    title: counted(part.kind, part.total),
    lines: part.lines,
    more: part.total - part.lines.length,
    list: `${apiUrl}/${COUNTED[part.kind][2]}&workspaceId=${workspace.id}`,
  }));
  const text = sections
    .map(({ title, lines, more, list }) =>
      [`${title}:`, ...lines.map((line) => `- ${line}`), ...moreLine(more), `All of them: ${list}`].join(
        '\n',
      ),
    )
    .join('\n\n');
  const html = page(
    subject,
    sections.flatMap(({ title, lines, more, list }) => [
      `<h3>${safe(title)}</h3>`,
      `<ul>${[...lines, ...moreLine(more)].map((line) => `<li>${safe(line)}</li>`).join('')}</ul>`,
      `<p>${linked(`All of them: ${list}`)}</p>`,
    ]),
  );
  return { subject, text, html };
}

function counted(kind: NoticeKind, total: number): string {
  const [one, many] = COUNTED[kind];
  return `${total} ${total === 1 ? one : many}`;
}

function moreLine(more: number): string[] {
  return more > 0 ? [`and ${more} more`] : [];
}

function paragraph(lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', ...lines] : [];
}

function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>\n<html><head><meta charset="utf-8"><title>${safe(title)}</title></head><body>\n<h2>${safe(title)}</h2>\n${parts.join('\n')}\n</body></html>\n`;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Names are what somebody typed: none of them becomes markup. */
function safe(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function linked(line: string): string {
  return safe(line).replaceAll(/https?:\/\/[^\s<]+/g, (url) => `<a href="${url}">${url}</a>`);
}
