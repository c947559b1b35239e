/**
 * Loaded before everything else (`node --require`): chDB runs its queries on libuv's pool, whose size is
 * read once, at the pool's first use. ES modules are themselves read through the pool on Node 20, so they
 * come too late for it.
 */
process.env.UV_THREADPOOL_SIZE ??= '12';
