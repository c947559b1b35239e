/**
 * The same items, the first one asked for at once, each later one while the one before it is dealt with: after what
 * its receiver does with it at once. `prepare` is done to each as soon as it is there.
 */
export function oneAhead<T>(items: AsyncGenerator<T>, prepare: (item: T) => void): AsyncGenerator<T> {
  const ask = () => asked(items, prepare);
  return following(ask, ask());
}

async function* following<T>(
  ask: () => Promise<IteratorResult<T>>,
  first: Promise<IteratorResult<T>>,
): AsyncGenerator<T> {
  let coming = first;
  for (let item = await coming; !item.done; item = await coming) {
    coming = afterThis().then(ask);
    // Whoever stops early never asks for it; its failure is then nobody's.
    coming.catch(() => undefined);
    yield item.value;
  }
}

function asked<T>(items: AsyncGenerator<T>, prepare: (item: T) => void): Promise<IteratorResult<T>> {
  const coming = items.next().then((item) => {
    if (!item.done) prepare(item.value);
    return item;
  });
  coming.catch(() => undefined);
  return coming;
}

/** Turns of the event loop until a request that was just made has gone out: a used socket is taken up a turn later. */
const TURNS = 3;

async function afterThis(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
