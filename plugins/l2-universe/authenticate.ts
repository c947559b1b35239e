import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type BodyVerifier, fault, type WebhookHead, type WebhookIdentity } from '../../src/kit/index.js';

/** Milliseconds that a signature's time may be off, either way. */
const WINDOW_MS = 5 * 60_000;
const SIGNATURE = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/i;

/** What an input may know its sender by. */
export interface L2Credentials {
  signingSecret?: string | undefined;
  bearerSecret?: string | undefined;
}

/**
 * Who sends: by a bearer secret, or by `x-hub-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, whose
 * body is held against it as it streams by. Throws a fault `auth`.
 */
export function authenticate(
  credentials: L2Credentials,
  { headers }: WebhookHead,
  now: Date,
): WebhookIdentity {
  const { authorization } = headers;
  const key = headers['idempotency-key'];
  const signature = headers['x-hub-signature'];
  if (signature !== undefined) {
    // Without a key of the sender's own, the signature tells requests apart: it covers time and body.
    const requestId = idOf(key === undefined ? `signature:${signature}` : `key:${key}`);
    return { verifier: verifierOf(credentials.signingSecret, signature, now), requestId };
  }
  if (authorization === undefined) throw missing();
  const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (given === undefined || !sameSecret(given, credentials.bearerSecret)) throw wrongSecret();
  return key === undefined ? {} : { requestId: idOf(`key:${key}`) };
}

function verifierOf(secret: string | undefined, signature: string, now: Date): BodyVerifier {
  const [, seconds, digest] = SIGNATURE.exec(signature) ?? [];
  if (seconds === undefined || digest === undefined) throw wrongSignature();
  if (Math.abs(now.getTime() - Number(seconds) * 1000) > WINDOW_MS) throw oldSignature();
  if (secret === undefined) throw wrongSignature();
  const hmac = createHmac('sha256', secret).update(`${seconds}.`);
  return {
    update: (chunk) => void hmac.update(chunk),
    end() {
      if (!timingSafeEqual(hmac.digest(), Buffer.from(digest, 'hex'))) throw wrongSignature();
    },
  };
}

/** Digests have one length, so the time says nothing of either. */
function sameSecret(given: string, known: string | undefined): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const same = timingSafeEqual(digest(given), digest(known ?? ''));
  return same && known !== undefined;
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const missing = () =>
  fault.auth(
    'SIGNATURE_MISSING',
    'The request is not signed. Send x-hub-signature: t=<unix seconds>,v1=<HMAC>, or Authorization: Bearer <secret>.',
  );
const wrongSecret = () => fault.auth('SECRET_WRONG', 'The bearer secret is not the one of the input.');
const wrongSignature = () =>
  fault.auth('SIGNATURE_WRONG', 'The signature is not that of this body with the secret of the input.');
const oldSignature = () =>
  fault.auth('SIGNATURE_OLD', 'The signature is more than five minutes off. Sign anew, and check the clock.');
