import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { AuditActorKind } from '../database/index.js';

/** Who acts. */
export interface AuditActor {
  kind: AuditActorKind;
  id?: string;
  name?: string;
  userId?: string;
}

/** One request while it is worked on; everything it awaits finds it. */
export interface RequestContext {
  id: string;
  actor: AuditActor;
  /** True once a part of the hub noted what the request did. */
  noted: boolean;
}

const contexts = new AsyncLocalStorage<RequestContext | undefined>();

/** Runs `work` as a new request of nobody yet; returns what it returns. */
export function asRequest<T>(work: (request: RequestContext) => T): T {
  const request: RequestContext = { id: randomUUID(), actor: { kind: 'anonymous' }, noted: false };
  return contexts.run(request, () => work(request));
}

/** The request that this is part of; undefined in work that the hub does by itself. */
export function currentRequest(): RequestContext | undefined {
  return contexts.getStore();
}

/** Says who makes the present request. */
export function actAs(actor: AuditActor): void {
  const request = contexts.getStore();
  if (request) request.actor = actor;
}

/** Runs work that a request started and that is the hub's own from here on. */
export function asSystem<T>(work: () => T): T {
  return contexts.run(undefined, work);
}
