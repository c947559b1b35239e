import { z } from 'zod';
import {
  defineOutput,
  type AnyConnector,
  type Batch,
  type BatchResult,
  type HttpClient,
} from '../../src/kit/index.js';
import { EXPIRE_MS, FORGETTING } from './forgetting.js';
import { IDENTITIES_OF, type SimPlugin } from './partner-kinds.js';
import type { SimList } from './partner-list.js';
import type { Call, Caller, SimPartner } from './partner.js';

type Context = Pick<Call, 'connectionId'> & { http: HttpClient };
interface Audience {
  externalId: string;
}
interface Whole {
  toVersion: number;
  parts: number;
  members: number;
}

/** The partner is in this process; nothing is sent there. */
const NOWHERE = { method: 'POST', url: 'https://partner.example.com' } as const;

/** The plugin by which a process of the hub speaks to the partner. */
export function connectorOf(plugin: SimPlugin, partner: SimPartner, caller: Caller): AnyConnector {
  const of = <T>({ connectionId }: Context, to: Audience, work: (list: SimList) => T | Promise<T>) =>
    partner.serve(caller, { plugin, connectionId, listId: to.externalId }, work);
  const batch =
    (change: 'add' | 'remove') =>
    async (
      { connectionId, http }: Context,
      { externalId: listId }: Audience,
      given: Batch,
    ): Promise<BatchResult> => {
      // What is begun ahead waits here for its turn.
      await http.request(NOWHERE);
      return partner.serve(caller, { plugin, connectionId, listId, change }, (list) =>
        partner.take(caller, list, change, given),
      );
    };
  const replace = {
    wanted: () => true,
    write: (ctx: Context, to: Audience, given: Batch, part: number) =>
      of(ctx, to, (list) => partner.write(caller, list, given, part)),
    finish: (ctx: Context, to: Audience, whole: Whole) =>
      of(ctx, to, (list) => partner.finish(caller, list, whole)),
  };
  return defineOutput({
    id: plugin,
    name: plugin,
    description: 'A partner of the simulation.',
    version: '1.0.0',
    settings: z.object({}),
    credentials: z.object({}),
    connectionSettings: z.object({ list: z.string().optional() }),
    identities: IDENTITIES_OF[plugin].map((type) => ({ type, encoding: 'raw' as const })),
    attributes: 'optional',
    limits: plugin === 'sim-jobs' ? { batchSize: 9, concurrency: 2 } : { batchSize: 6, ahead: true },
    nameFor: ({ list }, name) => list ?? name,
    ...(plugin === FORGETTING ? { expireAfterMs: () => EXPIRE_MS } : {}),
    check: () => Promise.resolve(),
    audience: {
      create: ({ connectionId, connection }, { name, key = '' }) =>
        partner.serve(caller, { plugin, connectionId }, () =>
          partner.create(plugin, key, {
            name: connection.list ?? name,
            shared: connection.list !== undefined,
          }),
        ),
      rename: (ctx, { externalId, name }) =>
        of(ctx, { externalId }, (list) => {
          list.name = ctx.connection.list ?? name;
        }),
      add: batch('add'),
      // Of a list that is shared no connection could say whom it has there alone.
      count: (ctx, to) =>
        of(ctx, to, (list) => (list.shared || plugin === 'sim-whole' ? undefined : list.members.size)),
      ...(plugin === 'sim-whole' ? { replace } : { remove: batch('remove') }),
      ...(plugin === 'sim-jobs'
        ? {
            poll: ({ connectionId }: Context, jobId: string) =>
              partner.serve(caller, { plugin, connectionId }, () => partner.jobAnswer(jobId)),
          }
        : {}),
      ...(plugin === 'sim-list'
        ? {
            delete: (ctx: Context, to: Audience) =>
              of(ctx, to, (list) => {
                list.gone = true;
                list.deleted = true;
              }),
            // A list that was shared is emptied first: both ways are taken.
            deleteTakesMembers: ({ connection }: { connection: { list?: string | undefined } }) =>
              connection.list === undefined,
          }
        : {}),
    },
  });
}
