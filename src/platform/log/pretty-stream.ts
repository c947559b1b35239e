/** Fields that the line shows by itself or that say nothing to a person. */
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'context', 'err', 'v']);

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};

/** Turns pino's JSON lines into one readable line each: `12:00:01 INFO  imports  published  rows=3`. */
export class PrettyStream {
  constructor(private readonly out: { write(text: string): unknown }) {}

  write(line: string): void {
    this.out.write(prettyLine(line));
  }
}

/** One JSON line of pino as a line for people; anything else as it is. A stack follows, indented. */
export function prettyLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const time = new Date(Number(entry.time)).toISOString().slice(11, 19);
  const level = LEVELS[Number(entry.level)] ?? String(entry.level);
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${shown(value)}`);
  const parts = [`${time} ${level}`, text(entry.context), oneLine(text(entry.msg)), ...fields];
  return `${parts.filter((part) => part !== '').join('  ')}\n${stackOf(entry.err)}`;
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\r?\n\s*/g, ' ');
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const lines = (text(stack) || text(message)).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => `    ${line.trim()}\n`).join('');
}
