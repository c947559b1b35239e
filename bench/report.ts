import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** One figure: ours against what it is measured by. */
export interface Figure {
  name: string;
  ours: string;
  floor: string;
  /** Ours / floor, or the figure itself where it is held against a fixed limit. */
  value: number;
  /** `at most` or `at least` this. */
  target: { at: 'most' | 'least'; value: number };
  /** Where a short run fails, if not at half or twice the target: a target that is not reached yet, a shaky figure. */
  farOff?: number;
  /** More about it, for the JSON. */
  detail?: Record<string, unknown>;
}

export const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
export const seconds = (value: number): string => `${value.toFixed(2)} s`;

/** True where the target is met. */
export function isMet({ value, target }: Figure): boolean {
  return target.at === 'most' ? value <= target.value : value >= target.value;
}

/** True where the figure misses its target by more than twice, or its own bound. */
export function isFarOff({ value, target, farOff }: Figure): boolean {
  if (target.at === 'most') return value > (farOff ?? target.value * 2);
  return value < (farOff ?? target.value / 2);
}

/** The figures as a table of plain text. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ['figure', 'ours', 'floor', 'value', 'target', ''];
  const rows = figures.map((figure) => [
    figure.name,
    figure.ours,
    figure.floor,
    figure.value.toFixed(2),
    `${figure.target.at === 'most' ? '<=' : '>='} ${figure.target.value}`,
    isMet(figure) ? 'met' : isFarOff(figure) ? 'FAR OFF' : 'missed',
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Writes the figures and the machine they were measured on to `folder`; returns the file's path. */
export async function writeJson(
  folder: string,
  options: object,
  figures: readonly Figure[],
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const at = new Date();
  const machine = { node: process.version, processors: cpus().length, memoryBytes: totalmem() };
  const path = join(folder, `${at.toISOString().replaceAll(':', '-')}.json`);
  const content = { at, machine, options, figures: figures.map((one) => ({ ...one, met: isMet(one) })) };
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
  return path;
}
