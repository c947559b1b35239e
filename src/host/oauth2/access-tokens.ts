import { eq } from 'drizzle-orm';
import { z } from 'zod';
import type { HttpClient, OAuth2Grant } from '../../kit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { SealedSecretError, type SecretBox } from '../../platform/crypto/index.js';
import { outputTokens, type Database } from '../../platform/database/index.js';
import type { Leases } from '../../platform/lease/index.js';
import { requestTokens } from './token-request.js';

/** A token that holds for less than this is renewed, in milliseconds: a call under way should not outlive it. */
const EARLY_MS = 120_000;

const sealedTokens = z.object({ accessToken: z.string(), refreshToken: z.string().optional() });

/** What is kept of an output's tokens. */
interface KeptTokens {
  basis: string;
  accessToken: string;
  refreshToken?: string | undefined;
  expiresAt: Date;
}

/** Whose token is wanted, and how. */
export interface TokenRequest {
  outputId: string;
  grant: OAuth2Grant;
  http: HttpClient;
  signal: AbortSignal;
  /** A token that the partner has just refused. */
  refused?: string | undefined;
}

/**
 * Access tokens of outputs, for all processes: in the database, encrypted. Who finds none that holds takes a lease and
 * asks; the others wait for the lease and then find the new one. A partner that replaces refresh tokens would take two
 * uses of one for a theft and revoke both.
 */
export class AccessTokens {
  readonly #known = new Map<string, KeptTokens>();

  constructor(
    private readonly db: Database,
    private readonly leases: Leases,
    private readonly secretBox: SecretBox,
    private readonly clock: Clock,
  ) {}

  /** A token that holds. Throws ConnectorErrors, see `accessTokenOf` of the kit. */
  async get(request: TokenRequest): Promise<string> {
    const { outputId, grant, refused, signal } = request;
    const basis = this.secretBox.fingerprint(JSON.stringify(grant));
    const known = this.#known.get(outputId);
    if (this.#holds(known, basis, refused)) return known.accessToken;
    const kept = await this.#read(outputId);
    if (this.#holds(kept, basis, refused)) return this.#remember(outputId, kept);
    return this.leases.exclusively(`oauth2 ${outputId}`, signal, async ({ signal: held }) => {
      const current = await this.#read(outputId);
      if (this.#holds(current, basis, refused)) return this.#remember(outputId, current);
      return this.#renew({ ...request, signal: held }, basis, current);
    });
  }

  #holds(kept: KeptTokens | undefined, basis: string, refused: string | undefined): kept is KeptTokens {
    return (
      kept !== undefined &&
      kept.basis === basis &&
      kept.accessToken !== refused &&
      kept.expiresAt.getTime() - EARLY_MS > this.clock.now().getTime()
    );
  }

  async #renew(request: TokenRequest, basis: string, kept: KeptTokens | undefined): Promise<string> {
    const { outputId, grant, http, signal } = request;
    const replaced = kept?.basis === basis ? kept.refreshToken : undefined;
    const asked =
      grant.grant === 'refresh_token' && replaced !== undefined
        ? { ...grant, refreshToken: replaced }
        : grant;
    const given = await requestTokens(http, asked, this.clock.now());
    const { accessToken, expiresAt, refreshToken = replaced } = given;
    // Even where the lease was lost: a refresh token that is not written down is lost for good.
    await this.#write(outputId, { basis, accessToken, refreshToken, expiresAt });
    signal.throwIfAborted();
    return accessToken;
  }

  #remember(outputId: string, kept: KeptTokens): string {
    this.#known.set(outputId, kept);
    return kept.accessToken;
  }

  async #read(outputId: string): Promise<KeptTokens | undefined> {
    const [row] = await this.db.select().from(outputTokens).where(eq(outputTokens.outputId, outputId));
    if (!row) return undefined;
    try {
      const text = this.secretBox.open(row.tokens, sealName(outputId));
      return { basis: row.basis, expiresAt: row.expiresAt, ...sealedTokens.parse(JSON.parse(text)) };
    } catch (error) {
      // Sealed with a former key of the hub: the credentials are asked with again.
      if (error instanceof SealedSecretError) return undefined;
      throw error;
    }
  }

  async #write(outputId: string, { basis, expiresAt, ...tokens }: KeptTokens): Promise<void> {
    const row = { basis, expiresAt, tokens: this.secretBox.seal(JSON.stringify(tokens), sealName(outputId)) };
    await this.db
      .insert(outputTokens)
      .values({ outputId, ...row })
      .onConflictDoUpdate({ target: outputTokens.outputId, set: row });
    this.#remember(outputId, { basis, expiresAt, ...tokens });
  }
}

/** Not the name that the output's credentials are sealed under: neither opens in the other's place. */
function sealName(outputId: string): string {
  return `tokens of ${outputId}`;
}
