import type { LookupAddress } from 'node:dns';
import { lookup as lookupName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { fault, type ConnectorError } from '../../kit/index.js';
import { isPublicAddress } from './address-rules.js';

/** Finds all addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Where the hub may connect to. */
export interface EgressRules {
  /** True: anywhere (HUB_ALLOW_PRIVATE_EGRESS). */
  allowPrivate: boolean;
  /** Default: the system's resolver. */
  resolve?: Resolve;
}

/**
 * Keeps connections that a user's URL asks for out of the hub's own network. The decision is made in
 * `lookup`, about the very address that is then connected to, so that a name that answers differently
 * the second time gains nothing. Addresses in the URL itself never reach a lookup: check them before.
 */
export class EgressGuard {
  readonly #allowPrivate: boolean;
  readonly #resolve: Resolve;

  constructor(rules: EgressRules) {
    this.#allowPrivate = rules.allowPrivate;
    this.#resolve = rules.resolve ?? ((hostname) => lookupName(hostname, { all: true }));
  }

  /** For `connect` and agents: gives the allowed addresses only, and EGRESS_REFUSED where there are none. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const find = callbackify(() => this.#allowedAddresses(hostname));
    find((error, addresses) => {
      if (error) return callback(error, '');
      const ofFamily = addresses.filter(({ family }) => !options.family || family === options.family);
      const wanted = ofFamily.length > 0 ? ofFamily : addresses;
      return options.all
        ? callback(null, wanted)
        : callback(null, wanted[0]?.address ?? '', wanted[0]?.family);
    });
  };

  /**
   * Refuses a URL whose host is an address that is not allowed, in whatever spelling. Names pass: they are
   * judged when they are looked up.
   *
   * @throws ConnectorError `config` EGRESS_REFUSED.
   */
  assertAddressAllowed(url: URL): void {
    this.assertHostAllowed(url.hostname.replaceAll(/^\[|\]$/g, ''));
  }

  /** The same for a host without a URL around it. */
  assertHostAllowed(host: string): void {
    if (isIP(host) !== 0 && !this.#allows(host)) throw egressRefused(host);
  }

  /**
   * Refuses a URL that the hub could not connect to, for clients that do their own connecting (give them
   * {@link lookup} too).
   *
   * @throws ConnectorError `config` INVALID_URL or EGRESS_REFUSED, `retryable` DNS_FAILED.
   */
  async assertAllowed(text: string): Promise<void> {
    const url = parseTarget(text);
    this.assertAddressAllowed(url);
    const host = url.hostname.replaceAll(/^\[|\]$/g, '');
    if (isIP(host) !== 0 || this.#allowPrivate) return;
    try {
      await this.#allowedAddresses(host);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall !== 'getaddrinfo') throw error;
      throw dnsFailed(host);
    }
  }

  async #allowedAddresses(hostname: string): Promise<LookupAddress[]> {
    const addresses = await this.#resolve(hostname);
    const allowed = addresses.filter(({ address }) => this.#allows(address));
    if (allowed.length === 0) throw egressRefused(hostname);
    return allowed;
  }

  #allows(address: string): boolean {
    return this.#allowPrivate || isPublicAddress(address);
  }
}

/**
 * The target of a request: http or https, without user and password.
 *
 * @throws ConnectorError `config` INVALID_URL, which never repeats the URL: it may hold a secret.
 */
export function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw fault.config('INVALID_URL', 'The URL cannot be used: expected http://host/… or https://host/…');
  }
  if (url.username !== '' || url.password !== '') {
    throw fault.config(
      'INVALID_URL',
      `The URL of ${url.host} holds a user name or a password. Put them into the credentials.`,
    );
  }
  return url;
}

/** A resolver's failure. */
export function dnsFailed(host: string): ConnectorError {
  return fault.retryable(
    'DNS_FAILED',
    `The name ${host} has no address. Check its spelling, or the name server.`,
  );
}

function egressRefused(host: string): ConnectorError {
  return fault.config(
    'EGRESS_REFUSED',
    `${host} is not on the public internet, and the hub does not connect to private networks. Use a public ` +
      'address, or start the hub with HUB_ALLOW_PRIVATE_EGRESS=true.',
  );
}
