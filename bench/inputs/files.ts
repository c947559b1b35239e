import { Program } from '../process/program.js';
import type { GenerateRequest } from './generate.js';

/** Share of the ids that are gone, and of those that are new, in a refresh. */
export const CHANGED_SHARE = 0.02;

/** Writes files one after another; the same requests always make the same files. */
export async function writeFiles(requests: readonly GenerateRequest[]): Promise<void> {
  const generator = Program.start('inputs/generate.js');
  try {
    for (const request of requests) await generator.ask(request);
  } finally {
    await generator.stop();
  }
}
