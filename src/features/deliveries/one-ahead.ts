/**
 * The same items, the first one asked for at once, each later one while the one before it is dealt with: after what
 * its receiver does with it at once.
 */
export function oneAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  return following(items, asked(items));
}

async function* following<T>(items: AsyncGenerator<T>, first: Promise<IteratorResult<T>>): AsyncGenerator<T> {
  let coming = first;
  for (let item = await coming; !item.done; item = await coming) {
    coming = afterThis().then(() => asked(items));
    // Whoever stops early never asks for it; its failure is then nobody's.
    coming.catch(() => undefined);
    yield item.value;
  }
}

function asked<T>(items: AsyncGenerator<T>): Promise<IteratorResult<T>> {
  const coming = items.next();
  coming.catch(() => undefined);
  return coming;
}

function afterThis(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
