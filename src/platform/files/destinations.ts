import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isAbsolute, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { S3Client } from '@aws-sdk/client-s3';
import { fault, type ConnectorError, type Destination, type DestinationOptions } from '../../kit/index.js';
import type { EgressGuard } from '../http/index.js';
import { destinationFault } from './destination-faults.js';
import { FileMissingError, chunksOf, type FileBody, type FileStore } from './file-store.js';
import { isBelow, isReallyBelow } from './folder-rules.js';
import { FolderFileStore } from './folder-file-store.js';
import { openS3Client } from './open-file-store.js';
import { S3FileStore } from './s3-file-store.js';

/** S3 clients that are kept open; beyond, the one that was opened first is closed. */
const MAX_CLIENTS = 32;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 120_000;

/** What destinations may be. */
export interface DestinationRules {
  /** Guards the connections to S3 endpoints. */
  guard: EgressGuard;
  /** Absolute folders; absent: any. */
  roots?: readonly string[];
}

/** Opens what connectors write to: an absolute folder, or `s3://bucket/prefix` on any S3 service. */
export class Destinations {
  readonly #clients = new Map<string, S3Client>();

  constructor(private readonly rules: DestinationRules) {}

  /**
   * The destination at `url`. Its calls throw ConnectorErrors: STORAGE_FULL, STORAGE_BUSY and those of the
   * connection (retryable), DESTINATION_NOT_WRITABLE, DESTINATION_UNUSABLE, BUCKET_UNUSABLE, EGRESS_REFUSED
   * (config), ACCESS_DENIED (auth), INVALID_KEY (permanent).
   *
   * @throws ConnectorError `config` DESTINATION_INVALID or DESTINATION_REFUSED.
   */
  open(url: string, options: DestinationOptions = {}, signal?: AbortSignal): Destination {
    const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url);
    if (s3?.[1]) {
      const prefix = (s3[2] ?? '').replaceAll(/^\/+|\/+$/g, '');
      return new StoreDestination(
        new S3FileStore(this.#client(options), { bucket: s3[1], prefix }),
        url,
        signal,
      );
    }
    if (url.includes('://') || !isAbsolute(url)) {
      throw fault.config(
        'DESTINATION_INVALID',
        'The destination is neither an absolute folder nor s3://bucket/prefix.',
      );
    }
    const folder = resolve(url);
    const { roots } = this.rules;
    if (!roots) return new StoreDestination(new FolderFileStore(folder), folder, signal);
    if (!isBelow(roots, folder)) throw outsideOf(roots, folder);
    return new StoreDestination(new FolderFileStore(folder), folder, signal, async () => {
      if (!(await isReallyBelow(roots, folder))) throw outsideOf(roots, folder);
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  #client(options: DestinationOptions): S3Client {
    const key = JSON.stringify([options.endpoint, options.region, options.credentials]);
    const known = this.#clients.get(key);
    if (known) return known;
    if (options.endpoint !== undefined) this.#assertEndpoint(options.endpoint);
    const { lookup } = this.rules.guard;
    const client = openS3Client({
      ...options,
      requestHandler: {
        httpAgent: new HttpAgent({ keepAlive: true, lookup }),
        httpsAgent: new HttpsAgent({ keepAlive: true, lookup }),
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
      },
    });
    this.#clients.set(key, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > MAX_CLIENTS && oldest !== undefined) {
      this.#clients.get(oldest)?.destroy();
      this.#clients.delete(oldest);
    }
    return client;
  }

  #assertEndpoint(endpoint: string): void {
    if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
      throw fault.config('DESTINATION_INVALID', 'The endpoint is no http(s) URL.');
    }
    this.rules.guard.assertAddressAllowed(new URL(endpoint));
  }
}

/** A file store as a connector sees it. */
class StoreDestination implements Destination {
  constructor(
    private readonly store: FileStore,
    private readonly where: string,
    private readonly signal?: AbortSignal,
    private readonly judge: () => Promise<void> = async () => undefined,
  ) {}

  async put(key: string, body: FileBody): Promise<void> {
    await this.#call(() => this.store.put(key, this.#abortable(body)));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call(async () => {
      try {
        return await buffer(await this.store.get(key));
      } catch (error) {
        if (error instanceof FileMissingError) return undefined;
        throw error;
      }
    });
  }

  list(prefix: string): Promise<string[]> {
    return this.#call(async () => {
      const keys: string[] = [];
      for await (const key of this.store.list(prefix)) {
        this.#assertRunning();
        keys.push(key);
      }
      return keys;
    });
  }

  async delete(key: string): Promise<void> {
    await this.#call(() => this.store.delete(key));
  }

  async concat(key: string, parts: readonly string[]): Promise<void> {
    await this.#call(() => this.store.concat(key, parts));
  }

  /** A body that stops where the call was aborted, so that nothing of it is written. */
  async *#abortable(body: FileBody): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(body)) {
      this.#assertRunning();
      yield chunk;
    }
    this.#assertRunning();
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning();
    try {
      await this.judge();
      return await work();
    } catch (error) {
      throw destinationFault(error, this.where);
    }
  }

  #assertRunning(): void {
    if (!this.signal?.aborted) return;
    throw fault.retryable('ABORTED', `Writing to ${this.where} was given up by the hub.`);
  }
}

function outsideOf(roots: readonly string[], folder: string): ConnectorError {
  return fault.config(
    'DESTINATION_REFUSED',
    `${folder} is outside of the folders the hub may use (HUB_DROP_ROOTS): ${roots.join(', ')}.`,
  );
}
