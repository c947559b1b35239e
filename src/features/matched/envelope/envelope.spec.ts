import { describe, expect, it } from '@jest/globals';
import { errorEnvelope, isIqmPath } from './envelope.js';

describe('the envelopes of IQM', () => {
  it.each([
    ['/api/v2/audience/matched/add', true],
    ['/api/v3/ua/login', true],
    ['/api/v3', true],
    ['/api/v1/audiences', false],
    ['/api/v30/x', false],
    ['/health', false],
  ])('are spoken at %s: %s', (path, expected) => {
    expect(isIqmPath(path)).toBe(expected);
  });

  it('name the error twice in v2 and in the column list', () => {
    const expected = { statusCode: 400, responseObject: { errorMsg: 'No.', errorCode: 400 } };
    expect(errorEnvelope('/api/v2/audience/matched/add', 400, 'No.')).toEqual(expected);
    expect(errorEnvelope('/api/v3/audience/static/matched/column-list', 400, 'No.')).toEqual(expected);
  });

  it('list errors in v3', () => {
    const expected = { success: false, errorObjects: [{ error: 'No.' }] };
    expect(errorEnvelope('/api/v3/ua/login', 403, 'No.')).toEqual(expected);
    expect(errorEnvelope('/api/v3/audience/matched', 403, 'No.')).toEqual(expected);
  });
});
