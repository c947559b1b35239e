import { createHmac } from 'node:crypto';

/**
 * The value of `x-hub-signature`: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`. The time is signed
 * with the body, so that a receiver can refuse what is old without keeping a list of what it has seen.
 */
export function signatureOf(secret: string, body: Uint8Array, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const digest = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
  return `t=${seconds},v1=${digest}`;
}
