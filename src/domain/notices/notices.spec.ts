import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  composeGathered,
  composeOne,
  DIGEST_SPANS,
  moreEager,
  NOTICE_CHOICES,
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

describe('composeGathered', () => {
  const workspace = { id: 'w1', name: 'Shop' };

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
  });
});
