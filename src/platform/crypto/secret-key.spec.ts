import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSecretKey, SecretKeyError } from './index.js';

describe('loadSecretKey', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hub-key-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it('makes a key once, readable by its owner only, and gives it again', async () => {
    const key = await loadSecretKey(dataDir);
    expect(key).toHaveLength(32);
    expect(await loadSecretKey(dataDir)).toEqual(key);
    expect(await readdir(dataDir)).toEqual(['secret.key']);
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('gives the same key to all who start at the same instant', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadSecretKey(dataDir)));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(await readdir(dataDir)).toEqual(['secret.key']);
  });

  it('prefers the configured key and writes no file', async () => {
    const configured = randomBytes(32);
    expect(await loadSecretKey(dataDir, configured)).toBe(configured);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('closes a key file that others could read', async () => {
    await loadSecretKey(dataDir);
    await chmod(join(dataDir, 'secret.key'), 0o644);
    await loadSecretKey(dataDir);
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('does not replace a damaged key, and does not show it', async () => {
    await writeFile(join(dataDir, 'secret.key'), 'abc123');
    const refusal = await loadSecretKey(dataDir).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SecretKeyError);
    expect(String(refusal)).toContain('expected 64 hexadecimal digits');
    expect(String(refusal)).not.toContain('abc123');
  });
});
