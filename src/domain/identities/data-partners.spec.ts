import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SqlBench } from '../../../test/support/evaluate-sql.js';
import { keepingNamespaces, diffMappings, mapColumns, type ColumnMapping } from './column-mapping.js';
import { anyPartnered, bareIdSql, namespaceSql, partnerAndId, partnerNamed } from './data-partners.js';
import { codeOf } from './identity-codes.js';
import { anyPartText } from './part-texts.suite.js';
import { ruleOf } from './rules.js';
import type { DataPartners } from '../../kit/index.js';

let bench: SqlBench;
beforeAll(async () => {
  bench = await SqlBench.open();
});
afterAll(() => bench.close());

const PARTNERS = ['', 'l2', 'targetsmart', 'acme'] as const;

function mapped(header: string[], partners?: DataPartners): ColumnMapping {
  const found = mapColumns(header, undefined, partners);
  if ('problems' in found) throw new Error(JSON.stringify(found.problems));
  return found.mapping;
}

/** A mapping as it was locked before ids had data partners. */
const old = ({ columns, identities, attributes }: ColumnMapping): ColumnMapping => ({
  columns: columns.map(({ part, header, column }) => ({ part, header, column })),
  identities: identities.map(({ type, columns: of }) => ({ type, columns: of })),
  attributes,
});

describe('the value of an id', () => {
  it('tells any two ids apart that differ in id or partner, and gives both back', () => {
    const id = fc.record({ partner: fc.constantFrom(...PARTNERS), text: anyPartText('voter_id') });
    fc.assert(
      fc.property(id, id, fc.boolean(), (one, another, alike) => {
        const other = alike ? { ...another, text: one.text } : another;
        const [a, b] = [one, other].map(
          ({ partner, text }) => ruleOf('voter_id', { partner }).apply(text).value,
        );
        if (a === undefined || b === undefined || a === '' || b === '') return;
        const [first, second] = [partnerAndId('voter_id', a), partnerAndId('voter_id', b)];
        expect(first.partner ?? '').toBe(one.partner);
        expect(a === b).toBe(first.id === second.id && one.partner === other.partner);
      }),
      { numRuns: 1000 },
    );
  });

  it('of L2 is the one it had before ids had partners, and so is that of nobody unless it is in the form of L2', () => {
    for (const text of ['LALNY123', ' lalca9 ']) {
      expect(ruleOf('voter_id', { partner: 'l2' }).apply(text)).toEqual(ruleOf('voter_id').apply(text));
      expect(ruleOf('voter_id', { partner: '' }).apply(text)).not.toEqual(ruleOf('voter_id').apply(text));
    }
    expect(ruleOf('voter_id', { partner: '' }).apply('vb-1')).toEqual(ruleOf('voter_id').apply('vb-1'));
  });

  it('is taken apart by the engine as by its function', async () => {
    const values = ['LALNY1', ':LALNY1', 'targetsmart:LALNY1', 'VB-1', 'acme:1234567893', '1234567893'];
    for (const type of ['voter_id', 'npi', 'customer_id'] as const) {
      const code = String(codeOf(type));
      const rows = await bench.evaluate(
        values.map((value) => ({ value })),
        { id: bareIdSql(code, 'value'), partner: namespaceSql(code, 'value') },
      );
      expect(rows).toEqual(values.map((value) => ({ partner: '', ...partnerAndId(type, value) })));
    }
  });
});

describe('an id taken apart', () => {
  it('has a partner only where it is one of a partner', () => {
    expect(partnerAndId('voter_id', ':LALNY1')).toStrictEqual({ id: 'LALNY1' });
    expect(partnerAndId('voter_id', 'VB-1')).toStrictEqual({ id: 'VB-1' });
    expect(partnerAndId('voter_id', 'acme:LALNY1')).toStrictEqual({ id: 'LALNY1', partner: 'acme' });
  });

  it('may be among ids of several types, of which one is enough', () => {
    const codes = (['customer_id', 'npi', 'email'] as const).map((type) => codeOf(type));
    expect(anyPartnered(codes)).toBe(true);
    expect(anyPartnered([codeOf('customer_id'), codeOf('email')])).toBe(false);
  });
});

describe('a data partner', () => {
  it('has one name, whatever it is called', () => {
    expect(['lalvoterid', 'L2', ' l2 '].map((name) => partnerNamed('voter_id', name))).toEqual([
      'l2',
      'l2',
      'l2',
    ]);
    expect(partnerNamed('voter_id', 'voterbase_id')).toBe('targetsmart');
    expect(partnerNamed('npi', 'healthcare_id')).toBe('');
    expect(partnerNamed('npi', 'NPPES')).toBe('');
    expect(partnerNamed('npi', "x:'; y")).toBe('x----y');
  });

  it('is said by the header, else by the settings, else by nobody', () => {
    const partners = { voter_id: 'Acme', npi: 'clinics' };
    const of = (header: string[], set?: DataPartners) =>
      mapped(header, set).columns.map(({ partner }) => partner);
    expect(of(['LALVOTERID', 'voter_id', 'NPI', 'Email'], partners)).toEqual([
      'l2',
      'acme',
      'clinics',
      undefined,
    ]);
    expect(of(['voterbase_id', 'voter_id', 'NPI'])).toEqual(['targetsmart', '', '']);
  });

  it('that changes is a changed mapping, and names both', () => {
    const { sentence } = diffMappings(mapped(['voter_id']), mapped(['voter_id'], { voter_id: 'l2' }));
    expect(sentence).toBe('The column mapping changed: changed Voter ID from no data partner to L2.');
    expect(diffMappings(mapped(['LALVOTERID']), mapped(['voterbase_id'])).sentence).toContain(
      'changed Voter ID from L2 to TargetSmart',
    );
  });

  it.each(['LALVOTERID', 'voterbase_id', 'Voter ID', 'NPI'])(
    'of an audience from before is nobody, so that "%s" finds the same people',
    (header) => {
      const locked = old(mapped([header, 'Email']));
      const next = keepingNamespaces(locked, mapped(['Email', header]));
      expect(next).toEqual(old(mapped(['Email', header])));
      expect(diffMappings(locked, next).sentence).toBe('');
    },
  );

  it('stays with columns that were locked with theirs, and with those that are new beside older ones', () => {
    for (const header of ['LALVOTERID', 'voter_id', 'NPI']) {
      const next = mapped([header, 'Email']);
      expect(keepingNamespaces(mapped([header]), next)).toEqual(next);
    }
    const { columns, identities } = keepingNamespaces(old(mapped(['voter_id'])), mapped(['voter_id', 'NPI']));
    expect(columns.map(({ partner }) => partner)).toEqual([undefined, '']);
    expect(identities.map(({ type, partner }) => [type, partner])).toEqual([
      ['voter_id', undefined],
      ['npi', ''],
    ]);
  });

  it('of an audience from before is nobody where the sender says so of a column of any name', () => {
    const meant = (partner?: string | null) => {
      const meaning = { column: 'ref', field: 'voter_id', ...(partner === undefined ? {} : { partner }) };
      const found = mapColumns(['ref'], [meaning]);
      if ('problems' in found) throw new Error(JSON.stringify(found.problems));
      return found.mapping;
    };
    expect(keepingNamespaces(meant(), meant(null))).toEqual(meant());
    expect(keepingNamespaces(meant(), meant('acme'))).toEqual(meant('acme'));
  });

  it('that is set for an input of an audience from before is a changed mapping', () => {
    const locked = old(mapped(['voter_id']));
    const next = keepingNamespaces(locked, mapped(['voter_id'], { voter_id: 'acme' }));
    expect(diffMappings(locked, next).sentence).toContain('from no data partner to acme');
  });
});
