import { MEMBER_BETWEEN, MEMBER_CLOSE } from '../../src/domain/members/index.js';
import type { OutputMember } from '../../src/kit/index.js';

/** The text that the engine would write of these members. */
export function memberText(members: readonly OutputMember[]): Buffer {
  const whole = members.map(({ mpid, identities }) =>
    Object.keys(identities).length === 0
      ? `{"mpid":"${mpid}","identities":{"":[]}}`
      : JSON.stringify({ mpid, identities }),
  );
  return Buffer.from(whole.join(MEMBER_BETWEEN).slice(0, -MEMBER_CLOSE.length));
}
