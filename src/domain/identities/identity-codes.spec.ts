import { describe, expect, it } from '@jest/globals';
import { IDENTITY_TYPES } from '../../kit/index.js';
import { codeOf, IDENTITY_CODES, identityTypeOf, priorityOf } from './identity-codes.js';

describe('identity codes', () => {
  it('never change: they are stored', () => {
    expect(IDENTITY_CODES).toEqual({
      customer_id: 1,
      voter_id: 2,
      npi: 3,
      email: 10,
      email_sha256: 11,
      email_sha1: 12,
      email_md5: 13,
      email_sha512: 14,
      phone: 20,
      phone_sha256: 21,
      phone_sha1: 22,
      phone_md5: 23,
      phone_sha512: 24,
      full_address: 30,
      first_last_zip_state: 40,
      last_street_zip_state: 41,
      street_zip_state: 42,
    });
  });

  it('lead back to their type, and fit a UInt8', () => {
    for (const type of IDENTITY_TYPES) {
      expect(identityTypeOf(codeOf(type))).toBe(type);
      expect(codeOf(type)).toBeLessThan(256);
    }
    expect(identityTypeOf(0)).toBeUndefined();
  });

  it('have the customer id as strongest type', () => {
    expect(priorityOf('customer_id')).toBe(0);
    expect(priorityOf('email')).toBeLessThan(priorityOf('street_zip_state'));
  });
});
