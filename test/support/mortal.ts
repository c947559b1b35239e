import type { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import type { Database } from '../../src/platform/database/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';

type TransactionClient = Parameters<Parameters<PGlite['transaction']>[0]>[0];

/**
 * A process beside the spec's own, with the same database and engine, that dies before a statement: what it asks from then
 * on is not done, and a transaction that it had open is rolled back.
 */
export class Mortal {
  /** Statements that it sent. */
  asked = 0;
  #isDead = false;

  /** @param deathAt number of the statement that is not done any more, from 1; absent: it lives */
  constructor(private readonly deathAt?: number) {}

  get isDead(): boolean {
    return this.#isDead;
  }

  engine(warehouse: Warehouse): Warehouse {
    return {
      ...warehouse,
      command: (statement, options) => this.#ask(() => warehouse.command(statement, options)),
      query: (statement, options) => this.#ask(() => warehouse.query(statement, options)),
    };
  }

  /** @param db the embedded one */
  database(db: Database): Database {
    const { $client: client } = db as unknown as { $client: PGlite };
    return drizzle(this.#client(client), { casing: 'snake_case' });
  }

  #client(client: PGlite): PGlite {
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query') return this.#query(target);
        if (name === 'transaction') {
          return <T>(work: (tx: TransactionClient) => Promise<T>) =>
            target.transaction((tx) =>
              work(
                new Proxy(tx, {
                  get: (one, key) => (key === 'query' ? this.#query(one) : memberOf(one, key)),
                }),
              ),
            );
        }
        return memberOf(target, name);
      },
    });
  }

  #query(client: Pick<PGlite, 'query'>): PGlite['query'] {
    return (...statement) => this.#ask(() => client.query(...statement));
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#isDead) throw new Error('the process is dead');
    this.asked += 1;
    if (this.asked !== this.deathAt) return ask();
    this.#isDead = true;
    throw new Error('the process died');
  }
}

function memberOf(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === 'function' ? member.bind(target) : member;
}
