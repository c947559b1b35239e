import { it } from '@jest/globals';
import type { ContractCheck } from './contract-check.js';

/** Registers each check as a test; one that says nothing about the plugin is skipped with its reason. */
export function registerChecks<P, F>(checks: readonly ContractCheck<P, F>[], plugin: P, fixtures: F): void {
  for (const check of checks) {
    const reason = check.leftOut?.(plugin, fixtures);
    if (reason === undefined) it(check.name, () => check.run(plugin, fixtures));
    else it.skip(`${check.name} (left out: ${reason})`, () => undefined);
  }
}
