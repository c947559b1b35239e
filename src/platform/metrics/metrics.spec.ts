import { describe, expect, it } from '@jest/globals';
import { Metrics } from './index.js';

describe('Metrics', () => {
  it('tells what was counted, with fixed labels', async () => {
    const metrics = new Metrics();
    metrics.imports.inc({ state: 'published', plugin: 'folder-drop' });
    metrics.importRows.inc({ outcome: 'accepted' }, 250);
    metrics.batchSeconds.observe({ plugin: 'webhook', result: 'done' }, 0.03);
    const { body, contentType } = await metrics.text();
    expect(contentType).toContain('text/plain');
    expect(body).toContain('hub_imports_total{state="published",plugin="folder-drop"} 1');
    expect(body).toContain('hub_import_rows_total{outcome="accepted"} 250');
    expect(body).toContain('hub_delivery_batch_seconds_bucket{le="0.05",plugin="webhook",result="done"} 1');
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('reads gauges anew at every scrape, and drops what is no longer there', async () => {
    const metrics = new Metrics();
    let open: Record<string, number> = { auth: 2 };
    metrics.watchOpenFaults(async () => open);
    expect((await metrics.text()).body).toContain('hub_faults_open{kind="auth"} 2');
    open = { config: 1 };
    const { body } = await metrics.text();
    expect(body).toContain('hub_faults_open{kind="config"} 1');
    expect(body).not.toContain('hub_faults_open{kind="auth"}');
  });

  it('tells the rest where a reading fails', async () => {
    const metrics = new Metrics();
    metrics.watchQueueDepth(() => Promise.reject(new Error('Redis is away')));
    metrics.exports.inc({ state: 'ready' });
    expect((await metrics.text()).body).toContain('hub_exports_total{state="ready"} 1');
  });

  it('refuses a label it does not have', () => {
    const metrics = new Metrics();
    const labels: Record<string, string> = { person: 'x' };
    expect(() => metrics.imports.inc(labels)).toThrow('person');
  });

  it('can be made twice in a process', () => {
    expect(() => [new Metrics(), new Metrics()]).not.toThrow();
  });
});
