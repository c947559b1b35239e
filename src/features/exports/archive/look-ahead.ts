/**
 * Hands out what `source` yields while up to `depth` later values are already being made, so that making and
 * using overlap. Stopped early, it lets `source` finish what is under way and then end.
 */
export async function* lookAhead<T>(source: AsyncGenerator<T, void>, depth: number): AsyncGenerator<T, void> {
  const coming: Promise<IteratorResult<T, void>>[] = [];
  const askForMore = () => {
    const next = source.next();
    // Whoever waits for it hears of its failure; until somebody does, it must not count as unhandled.
    next.catch(() => undefined);
    coming.push(next);
  };
  try {
    for (let asked = 0; asked < depth; asked += 1) askForMore();
    for (;;) {
      askForMore();
      const next = await coming.shift();
      if (!next || next.done) return;
      yield next.value;
    }
  } finally {
    await source.return();
  }
}
