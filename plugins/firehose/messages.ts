import { createHash } from 'node:crypto';
import type { Batch, OutputContext, OutputMember, PartnerAudience } from '../../src/kit/index.js';
import type { z } from 'zod';
import { type FirehoseIdentity, userIdentitiesOf } from './identities.js';
import {
  type connectionSettings,
  type credentials,
  type FirehoseSettings,
  MAX_ID,
  secretsOf,
} from './settings.js';

/** The version of the Firehose messages that this plugin speaks. */
export const FIREHOSE_VERSION = '3.2.0';

export type FirehoseContext = OutputContext<
  FirehoseSettings,
  z.output<typeof credentials>,
  z.output<typeof connectionSettings>
>;
export type AccountContext = Pick<FirehoseContext, 'settings' | 'credentials' | 'now'>;

/** What the receiver knows an audience by; `settings` are those that it set itself when it was subscribed. */
export interface Subscription {
  audienceId: number;
  settings: Record<string, string>;
}

/** The settings of the account, confidential ones among them. */
export function accountSettingsOf({ settings, credentials }: AccountContext): Record<string, string> {
  return { ...settings.accountSettings, ...secretsOf(credentials.accountSecrets ?? '{}') };
}

export function registrationRequest(ctx: AccountContext) {
  return head(ctx, 'module_registration_request', `registration|${ctx.now().toISOString()}`);
}

export function subscriptionRequest(
  ctx: FirehoseContext,
  action: 'add' | 'update' | 'remove',
  name: string,
  { audienceId, settings }: Subscription,
) {
  return {
    ...head(ctx, 'audience_subscription_request', `${action}|${ctx.connectionId}`),
    account: accountOf(ctx),
    audience_id: audienceId,
    audience_name: name,
    ...subscriptionSettings(ctx, settings),
    action,
  };
}

export function membershipRequest(
  ctx: FirehoseContext,
  action: 'add' | 'delete',
  { name, externalId }: PartnerAudience,
  { id, members }: Batch<FirehoseIdentity>,
) {
  const { audienceId, settings } = subscriptionOf(externalId);
  const about = { audience_id: audienceId, audience_name: name, ...subscriptionSettings(ctx, settings) };
  return {
    ...head(ctx, 'audience_membership_change_request', `${action}|${id}`),
    account: accountOf(ctx),
    user_profiles: members.map((member) => ({
      user_identities: userIdentitiesOf(ctx.settings, member),
      audiences: [{ ...about, action }, ...attributeUpdateOf(about, member)],
      ...(ctx.settings.sendMpid ? { mpid: member.mpid } : {}),
    })),
  };
}

/** What Firehose has for attributes: an entry of its own beside that of the membership. */
function attributeUpdateOf(about: object, { attributes = {} }: OutputMember<FirehoseIdentity>): object[] {
  const updates = Object.entries(attributes).map(([key, value]) => ({ key, value, action: 'upsert' }));
  return updates.length === 0 ? [] : [{ ...about, action: 'attribute_update', user_attributes: updates }];
}

/** The settings of the connection, and what the receiver answered at its subscription. */
function subscriptionSettings({ connection }: FirehoseContext, own: Record<string, string>) {
  const all = { ...connection.subscriptionSettings, ...own };
  return Object.keys(all).length > 0 ? { audience_subscription_settings: all } : {};
}

/** The id of a new audience: of the settings, else made from the connection, the same on every try. */
export function newAudienceId({ connection, connectionId }: FirehoseContext): number {
  if (connection.audienceId !== undefined) return connection.audienceId;
  const digest = createHash('sha256').update(connectionId).digest();
  return (digest.readUInt32BE() % MAX_ID) + 1;
}

/** A subscription as the hub keeps it with the connection. */
export function externalIdOf({ audienceId, settings }: Subscription): string {
  return Object.keys(settings).length === 0
    ? String(audienceId)
    : `${audienceId} ${JSON.stringify(settings)}`;
}

export function subscriptionOf(externalId: string): Subscription {
  const [, id = '', settings = '{}'] = /^(\d+)(?: (.*))?$/s.exec(externalId) ?? [];
  return { audienceId: Number(id), settings: JSON.parse(settings) as Record<string, string> };
}

/** The same `of` is the same id: a message that is sent again can be known by it. */
function head<T extends string>({ now }: AccountContext, type: T, of: string) {
  return { type, id: uuidOf(of), timestamp_ms: now().getTime(), firehose_version: FIREHOSE_VERSION };
}

function accountOf(ctx: AccountContext) {
  return { account_id: ctx.settings.accountId, account_settings: accountSettingsOf(ctx) };
}

/** A UUID (version 8) made from a text. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
