import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** GNU sort of both files and the lines they do not share: what a shell would do. Returns seconds. */
export async function sortAndCompare(
  before: string,
  after: string,
  folder: string,
): Promise<{ seconds: number; lines: number }> {
  const sort = (file: string, to: string) => `sort -u --parallel=2 -S 1G -T '${folder}' '${file}' -o '${to}'`;
  const [one, two] = [`${folder}/before.sorted`, `${folder}/after.sorted`];
  const beganMs = performance.now();
  const script = `${sort(before, one)} && ${sort(after, two)} && comm -3 '${one}' '${two}' | wc -l`;
  const child = spawn('/bin/sh', ['-c', script], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`sort and comm ended with exit code ${String(code)}.`);
  return { seconds: (performance.now() - beganMs) / 1000, lines: Number(printed) };
}
