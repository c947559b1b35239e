import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HubProcess, PROCESS_KEY } from './support/hub-process.js';

/** A block of the tour, and what stands below it as its output; undefined where nothing is shown. */
interface TourBlock {
  script: string;
  output: string | undefined;
}

const BLOCK = /^```(\w+)( tour)?\n([\s\S]*?)^```$/gm;
/** Printed after each block, so that the outputs can be told apart. */
const END_OF_BLOCK = '=== end of block ===';
const TOUR_MS = 120_000;

/** The blocks marked `tour`, each with the `text` block that follows it before the next one. */
function tourOf(markdown: string): TourBlock[] {
  const blocks: TourBlock[] = [];
  for (const [, language, tour, body = ''] of markdown.matchAll(BLOCK)) {
    const last = blocks.at(-1);
    if (tour) blocks.push({ script: body, output: undefined });
    else if (language === 'text' && last && last.output === undefined) last.output = body;
  }
  return blocks;
}

describe('the tour of the README', () => {
  let folder: string;
  let hub: HubProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hub-readme-'));
    hub = await HubProcess.start({ HUB_DATA: join(folder, 'data') });
  }, TOUR_MS);

  afterAll(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'runs as it is printed, and prints what it says',
    async () => {
      const blocks = tourOf(await readFile(new URL('../README.md', import.meta.url), 'utf8'));
      expect(blocks.length).toBeGreaterThan(5);
      const script = blocks.map((block) => `${block.script}\necho '${END_OF_BLOCK}'\n`).join('');
      const { code, stdout, stderr } = await bash(script);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const outputs = stdout.split(`${END_OF_BLOCK}\n`);
      for (const [index, { output }] of blocks.entries()) {
        expect({ block: index, output: outputs[index] }).toEqual({ block: index, output: output ?? '' });
      }
    },
    TOUR_MS,
  );

  function bash(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', HUB_URL: hub.url, HUB_KEY: PROCESS_KEY },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
  }
});
