import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  composeGathered,
  composeOne,
  DIGEST_SPANS,
  moreEager,
  NOTICE_CHOICES,
  NOTICE_KINDS,
  nextDigestAt,
} from './index.js';

const content = {
  headline: 'Import of "Big <b>" failed',
  message: 'Row 3 has no end quote. (UNCLOSED_QUOTE)',
  facts: [['File', 'a&b.csv']] as [string, string][],
  next: ['Look: https://hub.example.com/x?a=1&b=2'],
  line: '"Big <b>": UNCLOSED_QUOTE',
};

describe('composeOne', () => {
  it('says what happened, where, and what to do next', () => {
    const { subject, text } = composeOne(content);
    expect(subject).toBe(content.headline);
    expect(text.split('\n')).toEqual([content.message, '', 'File: a&b.csv', '', ...content.next]);
  });

  it('never turns a name into markup', () => {
    const { html } = composeOne(content);
    expect(html).not.toContain('<b>');
    expect(html).toContain('Big &lt;b&gt;');
    expect(html).toContain('<a href="https://hub.example.com/x?a=1&amp;b=2">');
  });
});

describe('composeOne of a thing without facts', () => {
  it('leaves no gap for them', () => {
    const bare = { ...content, facts: [], next: [] };
    expect(composeOne(bare).text).toBe(content.message);
    expect(composeOne(bare).html).toContain(`<p>${content.message}</p>\n</body>`);
    expect(composeOne(content).html).toContain(
      '<table cellpadding="4"><tr><th align="left">File</th><td>a&amp;b.csv</td></tr></table>\n',
    );
  });

  it('links addresses, with encryption and without', () => {
    const { html } = composeOne({ ...content, next: ['Look: http://hub.example.com/x'] });
    expect(html).toContain('<p>Look: <a href="http://hub.example.com/x">http://hub.example.com/x</a></p>');
  });

  it('turns every character of markup into text', () => {
    const { html } = composeOne({ ...content, message: `<a href="x">'&'</a>` });
    expect(html).toContain('<p>&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;</p>');
  });
});

describe('composeGathered', () => {
  const workspace = { id: 'w1', name: 'Shop' };
  const apiUrl = 'https://hub.example.com/api/v1';

  it.each([
    ['import_failed', '1 import failed', '2 imports failed', 'imports?state=failed'],
    ['import_held', '1 import is held', '2 imports are held', 'imports?state=held'],
    ['import_recovered', '1 import succeeded again', '2 imports succeeded again', 'imports?state=published'],
    ['connection_faulted', '1 connection has a fault', '2 connections have faults', 'faults?open=true'],
    ['connection_recovered', '1 connection goes on', '2 connections go on', 'faults?open=false'],
    ['count_differs', '1 count differs', '2 counts differ', 'connections?status=active'],
    ['export_ready', '1 download is ready', '2 downloads are ready', 'exports?state=ready'],
  ] as const)('says of %s that %s or %s, and where', (kind, one, many, list) => {
    const mail = (total: number) => composeGathered(workspace, [{ kind, total, lines: ['a'] }], apiUrl);
    expect([mail(1).subject, mail(2).subject]).toEqual([`Shop: ${one}`, `Shop: ${many}`]);
    const address = `${apiUrl}/${list}&workspaceId=w1`;
    expect(mail(1).text).toBe(`${one}:\n- a\nAll of them: ${address}`);
    const link = address.replaceAll('&', '&amp;');
    expect(mail(2).html).toContain(
      `<h3>${many}</h3>\n<ul><li>a</li><li>and 1 more</li></ul>\n<p>All of them: <a href="${link}">${link}</a></p>\n`,
    );
  });

  it('tells of every kind, in the order of their weight', () => {
    const kinds = NOTICE_KINDS.toReversed().map((kind) => ({ kind, total: 1, lines: ['<a>'] }));
    const { subject, text, html } = composeGathered(workspace, kinds, apiUrl);
    const order = ['failed', 'held', 'again', 'fault', 'goes on', 'differs', 'ready'];
    const places = order.map((word) => subject.indexOf(word));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(text.split('\n\n')).toHaveLength(7);
    expect(html.match(/<li>&lt;a&gt;<\/li>/g)).toHaveLength(7);
  });

  it('counts by kind, lists the lines, and says where the rest is', () => {
    const { subject, text } = composeGathered(
      workspace,
      [
        { kind: 'connection_faulted', total: 1, lines: ['one'] },
        { kind: 'import_failed', total: 23, lines: ['first', 'second'] },
      ],
      'https://hub.example.com/api/v1',
    );
    expect(subject).toBe('Shop: 23 imports failed, 1 connection has a fault');
    expect(text).toContain('- first\n- second\nand 21 more');
    expect(text).toContain('https://hub.example.com/api/v1/imports?state=failed&workspaceId=w1');
    expect(text).not.toContain('0 more');
  });
});

describe('nextDigestAt', () => {
  it.each([
    ['hour', '2026-03-01T10:00:00Z', '2026-03-01T11:00:00.000Z'],
    ['hour', '2026-03-01T10:59:59.999Z', '2026-03-01T11:00:00.000Z'],
    ['day', '2026-03-01T05:59:59Z', '2026-03-01T06:00:00.000Z'],
    ['day', '2026-03-01T06:00:00Z', '2026-03-02T06:00:00.000Z'],
  ] as const)('is, by the %s after %s, at %s', (span, now, expected) => {
    expect(nextDigestAt(span, new Date(now)).toISOString()).toBe(expected);
  });

  it('is always ahead, and never further than the span', () => {
    const moments = fc.date({ min: new Date(0), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.constantFrom(...DIGEST_SPANS), moments, (span, now) => {
        const waitMs = nextDigestAt(span, now).getTime() - now.getTime();
        return waitMs > 0 && waitMs <= (span === 'hour' ? 1 : 24) * 3_600_000;
      }),
    );
  });
});

describe('moreEager', () => {
  it('takes the one that tells more, whichever comes first', () => {
    const choice = fc.constantFrom(...NOTICE_CHOICES);
    fc.assert(
      fc.property(choice, choice, (one, other) => {
        const taken = moreEager(one, other);
        return taken === moreEager(other, one) && (taken === one || taken === other) && taken !== 'off'
          ? true
          : one === 'off' && other === 'off';
      }),
    );
    expect(moreEager('digest', 'immediate')).toBe('immediate');
    expect(moreEager('digest', 'off')).toBe('digest');
  });
});
