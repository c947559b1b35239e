/** The data center behind the last hyphen of a key: `…-us6`. */
export function dataCenterOf(apiKey: string): string | undefined {
  return /-([a-z]{2,4}\d{1,3})$/.exec(apiKey)?.[1];
}
