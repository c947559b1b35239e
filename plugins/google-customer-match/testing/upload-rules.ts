import type { Violation } from './answers.js';

const MAX_MEMBERS = 10_000;
const MAX_IDENTIFIERS = 10;
const MAX_DESTINATIONS = 10;
const HEX = /^[0-9a-fA-F]+$/;
const SHA256 = /^[0-9a-f]{64}$/;

export interface Identifier {
  emailAddress?: string;
  phoneNumber?: string;
  address?: { givenName?: string; familyName?: string; regionCode?: string; postalCode?: string };
}

export interface Account {
  accountType?: string;
  accountId?: string;
}

/** The body of a request to add or remove members. */
export interface UploadRequest {
  destinations?: { operatingAccount?: Account; loginAccount?: Account; productDestinationId?: string }[];
  audienceMembers?: { userData?: { userIdentifiers?: Identifier[] } }[];
  consent?: { adUserData?: string; adPersonalization?: string };
  encoding?: string;
  termsOfService?: { customerMatchTermsOfServiceStatus?: string };
  validateOnly?: boolean;
}

/** Fields that Google refuses, by the limits and formats of its reference. One of them fails the whole request. */
export function violationsOf(request: UploadRequest): Violation[] {
  const { destinations = [], audienceMembers = [], encoding } = request;
  return [
    ...(destinations.length === 0 ? [{ field: 'destinations', reason: 'REQUIRED_FIELD_MISSING' }] : []),
    ...(destinations.length > MAX_DESTINATIONS
      ? [{ field: 'destinations', reason: 'TOO_MANY_DESTINATIONS' }]
      : []),
    ...(encoding === 'HEX' ? [] : [{ field: 'encoding', reason: 'REQUIRED_FIELD_MISSING' }]),
    ...(audienceMembers.length === 0
      ? [{ field: 'audience_members', reason: 'REQUIRED_FIELD_MISSING' }]
      : []),
    ...(audienceMembers.length > MAX_MEMBERS
      ? [{ field: 'audience_members', reason: 'TOO_MANY_AUDIENCE_MEMBERS' }]
      : []),
    ...audienceMembers.flatMap(({ userData }, index) => {
      const reason = reasonOf(userData?.userIdentifiers ?? []);
      const field = `audience_members.audience_members[${index}].user_data.user_identifiers`;
      return reason === undefined ? [] : [{ field, reason, description: 'Email is not hex encoded.' }];
    }),
  ];
}

function reasonOf(identifiers: readonly Identifier[]): string | undefined {
  if (identifiers.length === 0) return 'REQUIRED_FIELD_MISSING';
  if (identifiers.length > MAX_IDENTIFIERS) return 'TOO_MANY_USER_IDENTIFIERS';
  for (const { emailAddress, phoneNumber, address, ...others } of identifiers) {
    const one = [emailAddress, phoneNumber, address].filter((value) => value !== undefined);
    if (one.length !== 1 || Object.keys(others).length > 0) return 'INVALID_AUDIENCE_MEMBER';
    const hashes = [
      emailAddress ?? phoneNumber ?? address?.givenName,
      address ? address.familyName : undefined,
    ];
    for (const hash of address ? hashes : hashes.slice(0, 1)) {
      if (hash === undefined || !HEX.test(hash)) return 'INVALID_HEX_ENCODING';
      if (!SHA256.test(hash)) return 'INVALID_SHA256_FORMAT';
    }
    if (address && !/^\d{5}(?:-\d{4})?$/.test(address.postalCode ?? '')) return 'INVALID_POSTAL_CODE';
    if (address && !/^[A-Z]{2}$/.test(address.regionCode ?? '')) return 'INVALID_REGION_CODE';
  }
  return undefined;
}
