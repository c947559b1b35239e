import { z } from 'zod';
import {
  batchFrom,
  ConnectorError,
  faultFromStatus,
  type HttpRequest,
  type OutputConnector,
} from '../../src/kit/index.js';
import { call, type Ctx, PARTNER_LIMIT, settings, soundOutput } from './sound-output.js';

type Add = (typeof soundOutput)['audience']['add'];

function withAdd(wrap: (add: Add) => Add): OutputConnector {
  return {
    ...soundOutput,
    audience: { ...soundOutput.audience, add: wrap((...call) => soundOutput.audience.add(...call)) },
  };
}

/** A copy of the sound output whose requests are changed on their way. */
function withRequests(change: (request: HttpRequest, ctx: Ctx) => HttpRequest): OutputConnector {
  return withAdd((add) => (ctx, audience, batch) => {
    const http: Ctx['http'] = { request: (request) => ctx.http.request(change(request, ctx)) };
    return add({ ...ctx, http }, audience, batch);
  });
}

/** A copy of the sound output that does `react` with an error, and goes on as if nothing was. */
function withCatch(react: (error: unknown) => void): OutputConnector {
  return withAdd((add) => async (ctx, audience, batch) => {
    try {
      return await add(ctx, audience, batch);
    } catch (error) {
      react(error);
      return { status: 'done', rejected: [] };
    }
  });
}

/** Flawed copies: what is wrong, and the check that must notice. */
export const flawedOutputs: readonly { flaw: string; noticedBy: string; plugin: OutputConnector }[] = [
  {
    flaw: 'an unmarked secret',
    noticedBy: 'every field of the credentials is marked as secret',
    plugin: { ...soundOutput, credentials: z.object({ apiKey: z.string() }) },
  },
  {
    flaw: 'a secret among the settings',
    noticedBy: 'no setting is a secret',
    plugin: {
      ...soundOutput,
      settings: settings.extend({ apiToken: z.string().optional() }),
    },
  },
  {
    flaw: 'a rule for names whose expression is none',
    noticedBy: 'the rule for names can be applied, and does not refuse every name',
    plugin: { ...soundOutput, naming: { maxLength: 100, forbidden: '[' } },
  },
  {
    flaw: 'an id that is no kebab-case',
    noticedBy: 'the id is kebab-case',
    plugin: { ...soundOutput, id: 'SoundAds' },
  },
  {
    flaw: 'a version that says nothing',
    noticedBy: 'the version is a semantic version',
    plugin: { ...soundOutput, version: 'latest' },
  },
  {
    flaw: 'an identity that is declared twice',
    noticedBy: 'batch size and identities are declared',
    plugin: {
      ...soundOutput,
      identities: [...soundOutput.identities, ...soundOutput.identities],
    },
  },
  {
    flaw: 'a chunk over the limit',
    noticedBy: 'a full batch goes out in one request',
    plugin: { ...soundOutput, limits: { batchSize: PARTNER_LIMIT + 1 } },
  },
  {
    flaw: 'a request per member',
    noticedBy: 'a full batch goes out in one request',
    plugin: withAdd((add) => async (ctx, audience, batch) => {
      for (const [index, member] of batch.members.entries()) {
        await add(ctx, audience, batchFrom({ ...batch, id: `${batch.id}-${index}`, members: [member] }));
      }
      return { status: 'done', rejected: [] };
    }),
  },
  {
    flaw: 'an empty batch that is sent',
    noticedBy: 'an empty batch sends nothing',
    plugin: withAdd((add) => async (ctx, audience, batch) => {
      if (batch.members.length === 0) await soundOutput.check(ctx);
      return add(ctx, audience, batch);
    }),
  },
  {
    flaw: 'an idempotency key that changes',
    noticedBy: 'adding a batch twice equals adding it once',
    plugin: withRequests((request) => ({
      ...request,
      headers: { ...request.headers, 'idempotency-key': String(process.hrtime.bigint()) },
    })),
  },
  {
    flaw: 'a remove that does nothing',
    noticedBy: 'removing a batch takes out what adding it put in, and twice equals once',
    plugin: {
      ...soundOutput,
      audience: { ...soundOutput.audience, remove: () => Promise.resolve({ status: 'done', rejected: [] }) },
    },
  },
  {
    flaw: 'a deletion that leaves the members it says it takes',
    noticedBy: 'deleting the audience twice equals deleting it once, and takes the members where it says so',
    plugin: { ...soundOutput, audience: { ...soundOutput.audience, delete: () => Promise.resolve() } },
  },
  {
    flaw: 'indexes that count from one',
    noticedBy: 'rejected members are named by their index in the batch',
    plugin: withAdd((add) => async (ctx, audience, batch) => {
      const result = await add(ctx, audience, batch);
      if (result.status !== 'done') return result;
      return { ...result, rejected: result.rejected.map((one) => ({ ...one, index: one.index + 1 })) };
    }),
  },
  {
    flaw: 'rejections that are dropped',
    noticedBy: 'rejected members are named by their index in the batch',
    plugin: withAdd((add) => async (ctx, audience, batch) => {
      await add(ctx, audience, batch);
      return { status: 'done', rejected: [] };
    }),
  },
  ...[
    'the answer 401',
    'the answer 403',
    'the answer 429 with Retry-After',
    'the answer 503',
    'no answer in time',
    'a connection that breaks',
  ].map((title) => ({
    flaw: `a catch-all that swallows the kind, at ${title}`,
    noticedBy: `${title} becomes the right fault`,
    plugin: withCatch(() => {
      throw new Error('Sending failed.');
    }),
  })),
  {
    flaw: 'a catch-all that calls every failure retryable',
    noticedBy: 'the answer 400 becomes the right fault',
    plugin: withCatch(() => {
      throw new ConnectorError('retryable', 'FAILED', 'Sending failed.');
    }),
  },
  {
    flaw: 'a failure that counts as success',
    noticedBy: 'the answer 503 becomes the right fault',
    plugin: withCatch(() => undefined),
  },
  {
    flaw: 'a Retry-After that is ignored',
    noticedBy: 'the answer 429 with Retry-After becomes the right fault',
    plugin: withCatch((error) => {
      throw error instanceof ConnectorError
        ? new ConnectorError(error.kind, error.code, error.message)
        : error;
    }),
  },
  {
    flaw: 'a body that nobody reads',
    noticedBy: 'a body that is cut off becomes the right fault',
    plugin: withAdd(() => async (ctx, _, batch) => {
      if (batch.members.length > 0) await call(ctx, 'POST', '/members/add', batch);
      return { status: 'done', rejected: [] };
    }),
  },
  {
    flaw: 'a signal that is ignored',
    noticedBy: 'an aborted call sends nothing and rejects',
    plugin: withCatch(() => undefined),
  },
  {
    flaw: 'an abort under way that counts as success',
    noticedBy: 'a call that is aborted under way rejects at once',
    plugin: withCatch(() => undefined),
  },
  {
    flaw: 'a key in the query string',
    noticedBy: 'secrets appear in no log line, URL or fault',
    plugin: withRequests((request, ctx) => ({
      ...request,
      url: `${request.url}?key=${ctx.credentials.apiKey}`,
    })),
  },
  {
    flaw: 'a key in a log line',
    noticedBy: 'secrets appear in no log line, URL or fault',
    plugin: withRequests((request, ctx) => {
      ctx.log.info('Sending', { ...request.headers });
      return request;
    }),
  },
  {
    flaw: "a fault that repeats the partner's words",
    noticedBy: 'secrets appear in no log line, URL or fault',
    plugin: withAdd(() => async (ctx, _, batch) => {
      const response = await ctx.http.request({
        method: 'POST',
        url: `${ctx.settings.url}/members/add`,
        headers: { authorization: `Bearer ${ctx.credentials.apiKey}` },
        body: JSON.stringify(batch.members),
      });
      if (response.status !== 200)
        throw faultFromStatus(response.status, response.text, response.retryAfterMs);
      return { status: 'done', rejected: [] };
    }),
  },
  {
    flaw: 'attributes that are asked for and left out',
    noticedBy: 'attributes that are shared reach the partner, and count as accepted',
    plugin: {
      ...withAdd((add) => (ctx, audience, batch) => {
        const members = batch.members.map(({ mpid, identities }) => ({ mpid, identities }));
        return add(ctx, audience, batchFrom({ ...batch, members }));
      }),
      attributes: 'optional' as const,
    },
  },
  {
    flaw: 'people in a log line',
    noticedBy: "people's identities appear in no log line, URL or fault",
    plugin: withAdd((add) => (ctx, audience, batch) => {
      ctx.log.info(`First: ${batch.members[0]?.identities.email?.join(' ')}`);
      return add(ctx, audience, batch);
    }),
  },
];
