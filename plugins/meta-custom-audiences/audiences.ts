import { z } from 'zod';
import {
  isConnectorError,
  LIST_GONE,
  type OutputContext,
  type PartnerAudience,
} from '../../src/kit/index.js';
import { accountOf, type ApiContext, call, read } from './api.js';
import type { MetaConnection, MetaCredentials, MetaSettings } from './settings.js';

export type MetaContext = OutputContext<MetaSettings, MetaCredentials, MetaConnection>;

const made = z.object({ id: z.string().regex(/^\d+$/) });
const found = z.object({
  data: z.array(z.object({ id: z.string(), name: z.string(), description: z.string().nullish() })),
});
const counted = z.object({ approximate_count_lower_bound: z.number().int().optional() });

/** Meta makes no lookalike of fewer people. */
const LEAST_SEED = 100;

/** The audience of a connection: the one it made before, in a try that was cut off, or a new one. */
export async function makeAudience(ctx: MetaContext, name: string, key: string): Promise<string> {
  const mark = `[hub connection ${key}]`;
  const known = await findMarked(ctx, name, mark);
  if (known !== undefined) return known;
  const { description } = ctx.connection;
  const body = {
    name,
    subtype: 'CUSTOM',
    description: description === undefined ? mark : `${description} ${mark}`,
    customer_file_source: ctx.settings.customerFileSource,
  };
  return read(await call(ctx, 'POST', `${accountOf(ctx)}/customaudiences`, body), made).id;
}

/** People that Meta found in the list, at least; undefined while it counts. */
export async function countMatched(ctx: ApiContext, audienceId: string): Promise<number | undefined> {
  const fields = 'approximate_count_lower_bound,approximate_count_upper_bound';
  const answer = read(await call(ctx, 'GET', `${audienceId}?fields=${fields}`), counted);
  const count = answer.approximate_count_lower_bound ?? -1;
  return count < 0 ? undefined : count;
}

/** Deletes the audience. One that is gone is deleted. */
export async function deleteAudience(ctx: ApiContext, audienceId: string): Promise<void> {
  try {
    await call(ctx, 'DELETE', audienceId, {});
  } catch (error) {
    if (!isConnectorError(error) || error.code !== LIST_GONE) throw error;
  }
}

/** Makes the connection's lookalike audience once there are enough people in the list. */
export async function ensureLookalike(ctx: MetaContext, audience: PartnerAudience): Promise<void> {
  const { lookalikeCountry: country, lookalikeRatio: ratio } = ctx.connection;
  if (country === undefined) return;
  const matched = await countMatched(ctx, audience.externalId);
  if (matched === undefined || matched < LEAST_SEED) {
    ctx.log.info('too few people in the list for a lookalike audience yet', { matched: matched ?? 0 });
    return;
  }
  const name = `Lookalike (${country}, ${Math.round(ratio * 100)}%) - ${audience.name}`;
  const mark = `hub lookalike ${ctx.connectionId} ${country} ${ratio}`;
  if ((await findMarked(ctx, name, mark)) !== undefined) return;
  await call(ctx, 'POST', `${accountOf(ctx)}/customaudiences`, {
    name,
    subtype: 'LOOKALIKE',
    description: mark,
    origin_audience_id: audience.externalId,
    lookalike_spec: JSON.stringify({ type: 'custom_ratio', ratio, country }),
  });
}

/** An audience of this name with the mark in its description. */
async function findMarked(ctx: ApiContext, name: string, mark: string): Promise<string | undefined> {
  const filtering = encodeURIComponent(JSON.stringify([{ field: 'name', operator: 'EQUAL', value: name }]));
  const path = `${accountOf(ctx)}/customaudiences?fields=id,name,description&limit=100&filtering=${filtering}`;
  const { data } = read(await call(ctx, 'GET', path), found);
  return data.find((one) => one.name === name && one.description?.includes(mark))?.id;
}
