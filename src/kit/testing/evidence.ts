import { isNativeError } from 'node:util/types';
import { isConnectorError } from '../fault.js';
import type { ConnectorLog } from '../connector.js';

/** Everything a connector says to the outside: what must hold neither secrets nor personal data. */
export class Evidence {
  readonly #said: { where: string; text: string }[] = [];

  /** A log that keeps its lines. */
  readonly log: ConnectorLog = {
    info: (message, fields) => this.note('a log line', `${message} ${JSON.stringify(fields ?? {})}`),
    warn: (message, fields) => this.note('a log line', `${message} ${JSON.stringify(fields ?? {})}`),
  };

  note(where: string, text: string): void {
    this.#said.push({ where, text });
  }

  noteError(error: unknown): void {
    const text = isNativeError(error) ? `${error.message} ${JSON.stringify(error)}` : String(error);
    this.note(isConnectorError(error) ? `the fault ${error.code}` : 'an error', text);
  }

  /** The first place where `value` was said; percent-encoding does not hide it. */
  placeOf(value: string): string | undefined {
    const spellings = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
    return this.#said.find(({ text }) => spellings.some((spelling) => text.includes(spelling)))?.where;
  }
}
