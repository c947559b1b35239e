import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { stringify } from 'csv-stringify';
import type { Response } from 'express';
import { HubError } from '../../domain/errors/index.js';
import { ApiPage, IdParam, mapPage, wantsCsv } from '../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../tenancy/index.js';
import { DeliveriesQuery, DeliveryView, OutcomesQuery, OutcomeView, showDelivery } from './deliveries.dto.js';
import { DeliveriesService } from './deliveries.service.js';
import type { Delivery } from './delivery-rows.js';
import { OutcomesService } from './outcomes.service.js';

const CSV_COLUMNS = ['mpid', 'operation', 'status', 'code', 'message', 'batchId', 'count'];

@ApiTags('Deliveries')
@Controller()
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly outcomes: OutcomesService,
  ) {}

  @Get('connections/:id/deliveries')
  @Access('viewer')
  @ApiPage(DeliveryView)
  async list(
    @CurrentPrincipal() principal: Principal,
    @IdParam('connection') id: string,
    @Query() query: DeliveriesQuery,
  ) {
    return mapPage(await this.deliveries.list(principal, id, query), showDelivery);
  }

  @Get('deliveries/:id')
  @Access('viewer')
  @ApiOkResponse({ type: DeliveryView })
  async get(@CurrentPrincipal() principal: Principal, @IdParam('delivery') id: string) {
    return showDelivery(await this.deliveries.get(principal, id));
  }

  @Get('deliveries/:id/outcomes')
  @Access('viewer')
  @ApiOperation({ summary: 'Who was rejected or skipped, and why; JSON by page, or one CSV file' })
  @ApiProduces('application/json', 'text/csv')
  @ApiPage(OutcomeView)
  async listOutcomes(
    @CurrentPrincipal() principal: Principal,
    @IdParam('delivery') id: string,
    @Query() query: OutcomesQuery,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    const delivery = await this.deliveries.get(principal, id);
    requireOutcomes(delivery);
    const { id: deliveryId } = delivery;
    if (!wantsCsv(query.format, accept)) return this.outcomes.list(deliveryId, query);
    response.type('text/csv').attachment(`outcomes-${deliveryId}.csv`);
    const rows = Readable.from(this.outcomes.all(deliveryId, query));
    await pipeline(rows, stringify({ header: true, columns: CSV_COLUMNS }), response);
  }
}

/** An empty list would say that nobody was left out. */
function requireOutcomes({ id, outcomesForgottenAt, rejected, skipped }: Delivery): void {
  if (outcomesForgottenAt === null) return;
  throw new HubError(
    'GONE',
    `The outcomes of delivery ${id} were kept until ${outcomesForgottenAt.toISOString()} (HUB_OUTCOMES_DAYS). What ` +
      `is left are its counts: ${rejected} rejected, ${skipped} skipped.`,
  );
}
