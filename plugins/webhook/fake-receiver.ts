import type { FakePartner, PartnerRequest } from '../../src/kit/testing/index.js';
import type { OutputMember } from '../../src/kit/index.js';

/** A body of the webhook, as far as the stand-in looks into it. */
interface Body {
  event: string;
  operation?: 'add' | 'remove';
  members?: OutputMember[];
}

/** The body of a request, read. */
export function bodyOf(request: PartnerRequest): Body {
  return JSON.parse(request.body) as Body;
}

/**
 * A receiver as simple as one may be: it appends what it gets and knows only the idempotency key. So a
 * plugin that changes the key between two tries is found out.
 */
export function fakeReceiver(reject: readonly number[] = []): FakePartner {
  const seen = new Set<string>();
  let members: string[] = [];
  return {
    answer(request) {
      const body = bodyOf(request);
      const key = request.headers['idempotency-key'];
      if (body.members && key !== undefined && !seen.has(key)) {
        seen.add(key);
        const mpids = body.members.map(({ mpid }) => mpid);
        if (body.operation === 'add') members.push(...mpids);
        else members = members.filter((mpid) => !mpids.includes(mpid));
      }
      if (body.event === 'audience.created') return { status: 201, body: '{"externalId":"list-1"}' };
      if (!body.members || reject.length === 0) return { status: 204 };
      const rejected = reject.map((index) => ({ index, code: 'UNKNOWN', message: 'Not known here' }));
      return { status: 200, body: JSON.stringify({ rejected }) };
    },
    state: () => [...members].sort(),
  };
}
