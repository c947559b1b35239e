import type { z } from 'zod';
import type { OutputConnector, OutputContext, OutputLimits } from '../../kit/index.js';
import type { RateBudget } from './rate-budget.js';

/** The context of any output connector. */
export type AnyOutputContext = OutputContext<
  z.output<z.ZodObject>,
  z.output<z.ZodObject>,
  z.output<z.ZodObject>
>;

/** A connection with everything parsed and decrypted: ready for calls to the partner. */
export interface PartnerLine {
  connectionId: string;
  connector: OutputConnector;
  limits: OutputLimits;
  /** Of the partner account that its output sends to. Absent: nobody counts. */
  budget?: RateBudget;
  /** The connector's context for one call that ends when `signal` aborts. */
  context(signal: AbortSignal): AnyOutputContext;
  /** Resolves once all requests made so far have left this process, or are over. Absent: nobody knows. */
  written?(): Promise<void>;
  /** Secret values, to be taken out of messages. */
  secrets: readonly string[];
}

/** Resolves once a request that is made in this turn has gone out: the time for what would hold it up. */
export async function afterSending({ written }: Pick<PartnerLine, 'written'>): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await written?.();
}
