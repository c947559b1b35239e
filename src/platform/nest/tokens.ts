import { Inject } from '@nestjs/common';

/**
 * Injection tokens of the platform's ports. What is a class (Leases, SecretBox, LinkSigner, EgressClient, HubMetrics)
 * is its own token; what is an interface has a symbol here and a decorator that asks for it.
 */
export const CONFIG = Symbol('Config');
export const DATABASE = Symbol('Database');
export const OPEN_DATABASE = Symbol('OpenDatabase');
export const WAREHOUSE = Symbol('Warehouse');
export const WORK_QUEUE = Symbol('WorkQueue');
export const FILES = Symbol('FileStore');
export const MAILER = Symbol('Mailer');
export const CLOCK = Symbol('Clock');
export const LOGGER = Symbol('Logger');

/** `Config` of platform/env. */
export const InjectConfig = () => Inject(CONFIG);
/** `Database` of platform/database, for queries. */
export const InjectDatabase = () => Inject(DATABASE);
/** `OpenDatabase` of platform/database, to ask whether it answers. */
export const InjectOpenDatabase = () => Inject(OPEN_DATABASE);
/** `Warehouse` of platform/warehouse. */
export const InjectWarehouse = () => Inject(WAREHOUSE);
/** `WorkQueue` of platform/queue. */
export const InjectWorkQueue = () => Inject(WORK_QUEUE);
/** `FileStore` of platform/files. */
export const InjectFiles = () => Inject(FILES);
/** `Mailer` of platform/mail. */
export const InjectMailer = () => Inject(MAILER);
/** `Clock` of platform/clock. */
export const InjectClock = () => Inject(CLOCK);
/** `Logger` of platform/log; take a child of it: `log.child({ context: 'imports' })`. */
export const InjectLogger = () => Inject(LOGGER);
