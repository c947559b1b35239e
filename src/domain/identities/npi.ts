import { letSql, sqlString } from '../sql-text.js';
import { partnerPrefix } from './data-partners.js';
import { accept, NOTHING, reject, type Rule } from './normalised.js';
import { SharedPattern, trimmed, trimmedSql } from './text.js';

const shape = new SharedPattern('^[12][0-9]{9}$');
/** Spreadsheets write whole numbers as 1234567893.0. */
const decimalZero = new SharedPattern('\\b\\.0$');

/** What the prefix 80840 of US health ids adds to the Luhn sum, before a ten-digit NPI. */
const PREFIX_SUM = 24;
const POSITIONS = Array.from({ length: 10 }, (_, index) => index);

/** National Provider Identifier: ten digits, the first 1 or 2, Luhn check digit over 80840 + NPI (45 CFR 162.406). */
const registryRule: Rule = {
  apply(raw) {
    const npi = decimalZero.replaceAll(trimmed(raw), '');
    if (npi === '') return NOTHING;
    if (!shape.matches(npi)) return reject('NPI_INVALID');
    return luhnSum(npi) % 10 === 0 ? accept(npi) : reject('NPI_CHECK_DIGIT');
  },
  valueSql(raw) {
    const usable = `${shape.matchesSql('hub_npi')} AND ${luhnSumSql('hub_npi')} % 10 = 0`;
    return letSql({ hub_npi: npiSql(raw) }, `if(${usable}, hub_npi, '')`);
  },
  reasonSql(raw) {
    const reason = `multiIf(hub_npi = '', '', NOT ${shape.matchesSql('hub_npi')}, 'NPI_INVALID', ${luhnSumSql('hub_npi')} % 10 != 0, 'NPI_CHECK_DIGIT', '')`;
    return letSql({ hub_npi: npiSql(raw) }, reason);
  },
};

/** NPIs as the registry gives them out; those of a data partner stand behind its name. */
export function npiRule(partner = ''): Rule {
  if (partner === '') return registryRule;
  const prefix = partnerPrefix(partner);
  return {
    apply(raw) {
      const found = registryRule.apply(raw);
      return found.value === '' ? found : accept(`${prefix}${found.value}`);
    },
    valueSql(raw) {
      const stored = `if(hub_npi_id = '', '', concat(${sqlString(prefix)}, hub_npi_id))`;
      return letSql({ hub_npi_id: registryRule.valueSql(raw) }, stored);
    },
    reasonSql: (raw) => registryRule.reasonSql(raw),
  };
}

function npiSql(raw: string): string {
  return decimalZero.replaceAllSql(trimmedSql(raw), '');
}

/** Every second digit from the right, without the check digit, counts double: here those at even indexes. */
function luhnSum(npi: string): number {
  return POSITIONS.reduce((sum, index) => {
    const digit = Number(npi.charAt(index));
    if (index % 2 === 1) return sum + digit;
    return sum + (digit >= 5 ? 2 * digit - 9 : 2 * digit);
  }, PREFIX_SUM);
}

function luhnSumSql(npi: string): string {
  const terms = POSITIONS.map((index) => {
    const digit = `toUInt8OrZero(substring(${npi}, ${index + 1}, 1))`;
    return index % 2 === 1 ? digit : `transform(${digit}, [0,1,2,3,4,5,6,7,8,9], [0,2,4,6,8,1,3,5,7,9], 0)`;
  });
  return `(${PREFIX_SUM} + ${terms.join(' + ')})`;
}
