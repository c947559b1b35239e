import { Injectable } from '@nestjs/common';
import { planRemoval, whatStays, type RemovalPlan } from '../../../domain/removal/index.js';
import { type PartnerLine } from '../../../host/outputs/index.js';
import { isConnectorError } from '../../../kit/index.js';
import { PartnerLines } from '../partner-lines.js';
import { SharedLists, type ListOwner, type Sharer } from './shared-lists.js';

/** What is to be done about a connection at its partner. */
export interface Forecast {
  plan: RemovalPlan;
  sharers: Sharer[];
  /** The plugin's words on what stays. */
  leaves: string | undefined;
}

/** What the API says of a removal: without a plan where the output cannot be asked as it is configured. */
export interface ForecastInWords {
  plan: RemovalPlan | null;
  stays: string[];
  sharedWith: string[];
}

/** Says what a removal would do, and what it would leave. */
@Injectable()
export class RemovalForecast {
  constructor(
    private readonly lines: PartnerLines,
    private readonly lists: SharedLists,
  ) {}

  /** @param versions those that may have reached the partner */
  async of(owner: ListOwner, line: PartnerLine, versions: readonly number[]): Promise<Forecast> {
    const { connector } = line;
    const { audience } = connector;
    const ctx = line.context(new AbortController().signal);
    const membersSent = versions.length > 0;
    const listThere = audience.create ? owner.connection.externalId !== null : membersSent;
    const sharers = await this.lists.sharersOf(owner);
    const plan = planRemoval({
      membersSent,
      listThere,
      // What has no `create` is made by writing to it.
      listMade: audience.create ? owner.connection.listMade : true,
      sharers: sharers.length,
      canRemove: audience.remove !== undefined,
      canDelete: audience.delete !== undefined,
      deleteTakesMembers: audience.deleteTakesMembers?.(ctx) ?? false,
      sendsWholeStates: audience.replace?.wanted(ctx) ?? false,
    });
    return { plan, sharers, leaves: connector.leaves?.(ctx.settings, ctx.connection) };
  }

  async inWords(owner: ListOwner, versions: readonly number[]): Promise<ForecastInWords> {
    try {
      const line = await this.lines.open(owner);
      const { plan, sharers, leaves } = await this.of(owner, line, versions);
      const sharedWith = sharers.map(({ connectionId }) => connectionId);
      return { plan, stays: whatStays(plan, { sharedWith, leaves }), sharedWith };
    } catch (error) {
      if (!isConnectorError(error)) throw error;
      const stays = [`Everything, until the output can be used: ${error.message} (${error.code})`];
      return { plan: null, stays, sharedWith: [] };
    }
  }
}
