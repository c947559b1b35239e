import { isNativeError } from 'node:util/types';

/** One promise of the contract. `run` throws where the plugin does not keep it. */
export interface ContractCheck<P, F> {
  name: string;
  /** Why the check says nothing about this plugin; undefined where it does. */
  leftOut?(plugin: P, fixtures: F): string | undefined;
  run(plugin: P, fixtures: F): Promise<void>;
}

/** Thrown by a check that the plugin does not pass; says what was expected and what was seen. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
}

/** Throws {@link ContractViolation} with `message` unless `holds`. */
export function ensure(holds: boolean, message: string): asserts holds {
  if (!holds) throw new ContractViolation(message);
}

/** What became of one check. */
export interface CheckOutcome {
  name: string;
  outcome: 'kept' | 'broken' | 'left out';
  message?: string;
}

/** Runs `checks` one after the other, for tools and for the tests of the checks themselves. */
export async function runChecks<P, F>(
  checks: readonly ContractCheck<P, F>[],
  plugin: P,
  fixtures: F,
): Promise<CheckOutcome[]> {
  const outcomes: CheckOutcome[] = [];
  for (const check of checks) {
    const { name } = check;
    const reason = check.leftOut?.(plugin, fixtures);
    if (reason !== undefined) outcomes.push({ name, outcome: 'left out', message: reason });
    else outcomes.push(await runCheck(check, plugin, fixtures));
  }
  return outcomes;
}

async function runCheck<P, F>(check: ContractCheck<P, F>, plugin: P, fixtures: F): Promise<CheckOutcome> {
  try {
    await check.run(plugin, fixtures);
    return { name: check.name, outcome: 'kept' };
  } catch (error) {
    return {
      name: check.name,
      outcome: 'broken',
      message: isNativeError(error) ? error.message : String(error),
    };
  }
}
