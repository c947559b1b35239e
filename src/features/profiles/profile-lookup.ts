import { Injectable } from '@nestjs/common';
import {
  codeOf,
  IDENTITY_PARTS,
  identityHashSql,
  isPartnered,
  isPhoneRegion,
  normalise,
  partnerNamed,
  REJECT_REASONS,
  type NormaliseOptions,
} from '../../domain/identities/index.js';
import { HubError } from '../../domain/errors/index.js';
import type { IdentityType } from '../../kit/index.js';
import type { WorkspaceSettings } from '../../platform/database/index.js';
import { InjectWarehouse } from '../../platform/nest/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';

/** A workspace in the warehouse's terms, with what it sets for normalising. */
export interface LookupWorkspace {
  number: number;
  settings: WorkspaceSettings;
}

/** Finds profiles by what identifies them. */
@Injectable()
export class ProfileLookup {
  constructor(@InjectWarehouse() private readonly warehouse: Warehouse) {}

  /**
   * The mpid of the profile that has the identity, or undefined. The value is normalised as an import would;
   * the parts of a combination are separated by `|`. Throws VALIDATION_FAILED for a value that is no such
   * identity.
   */
  async find(workspace: LookupWorkspace, type: IdentityType, rawValue: string): Promise<string | undefined> {
    const value = normalisedIdentity(workspace.settings, type, rawValue);
    const [row] = await this.warehouse.query<{ found: string }>(
      `SELECT toString(mpid) AS found FROM identities
       WHERE workspace = {workspace:UInt32} AND type = ${codeOf(type)}
         AND hash = ${identityHashSql(type, '{value:String}')} AND value = {value:String}
       LIMIT 1`,
      { params: { workspace: workspace.number, value } },
    );
    return row?.found;
  }
}

/** The part and whose id it is: `targetsmart:VB1` names the data partner, as profiles show it. */
function ofPartner(
  type: IdentityType,
  parts: readonly string[],
  options: NormaliseOptions,
): [readonly string[], NormaliseOptions] {
  const [given = ''] = parts;
  const colon = given.indexOf(':');
  if (!isPartnered(type) || colon < 0) return [parts, options];
  const partner = partnerNamed(type, given.slice(0, colon));
  return [[given.slice(colon + 1)], { ...options, partner }];
}

/**
 * `rawValue` as an import would store it; the parts of a combination are separated by `|`. Throws VALIDATION_FAILED, which
 * names `field`, for a value that is no such identity.
 */
export function normalisedIdentity(
  settings: WorkspaceSettings,
  type: IdentityType,
  rawValue: string,
  field = 'identityValue',
): string {
  const parts = IDENTITY_PARTS[type].length === 1 ? [rawValue] : rawValue.split('|');
  const { defaultPhoneRegion } = settings;
  const defaultRegion =
    defaultPhoneRegion && isPhoneRegion(defaultPhoneRegion) ? defaultPhoneRegion : undefined;
  const { value, reason } = normalise(type, ...ofPartner(type, parts, { defaultRegion }));
  if (value !== '') return value;
  const expected = reason ? REJECT_REASONS[reason] : `a value for each of ${IDENTITY_PARTS[type].join('|')}`;
  throw new HubError('VALIDATION_FAILED', `The value is no identity of type ${type}.`, [
    { field, message: `must be ${expected}` },
  ]);
}
