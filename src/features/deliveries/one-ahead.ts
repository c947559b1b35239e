/**
 * The same items, the first one asked for at once, each later one while the one before it is dealt with: once `written`
 * resolves, because whatever is done here holds up what is being sent, or when its receiver asks for it. `prepare` is
 * done to each as soon as it is there.
 */
export function oneAhead<T>(
  items: AsyncGenerator<T>,
  prepare: (item: T) => void,
  written: () => Promise<void>,
): AsyncGenerator<T> {
  const ask = () => asked(items, prepare);
  return following(ask(), ask, written);
}

async function* following<T>(
  first: Promise<IteratorResult<T>>,
  ask: () => Promise<IteratorResult<T>>,
  written: () => Promise<void>,
): AsyncGenerator<T> {
  let coming = first;
  for (let item = await coming; !item.done; item = await coming) {
    let want = (): void => undefined;
    const wanted = new Promise<void>((resolve) => (want = resolve));
    coming = Promise.race([written(), wanted]).then(ask);
    // Whoever stops early never asks for it; its failure is then nobody's.
    coming.catch(() => undefined);
    yield item.value;
    want();
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
