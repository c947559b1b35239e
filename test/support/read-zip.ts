import { crc32, inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/** The files of a ZIP by name, in the order of its directory; throws where the archive is not whole. */
export function readZip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end === -1 || zip.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('The ZIP has no directory.');
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`The ZIP's directory is broken at ${at}.`);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    files.set(name, content(zip, at, name));
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}

function content(zip: Buffer, entryAt: number, name: string): Buffer {
  const method = zip.readUInt16LE(entryAt + 10);
  const checksum = zip.readUInt32LE(entryAt + 16);
  const packedBytes = zip.readUInt32LE(entryAt + 20);
  const local = zip.readUInt32LE(entryAt + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + packedBytes);
  if (method !== STORED && method !== DEFLATED) throw new Error(`${name} is packed by method ${method}.`);
  const data = method === STORED ? packed : inflateRawSync(packed);
  if (crc32(data) !== checksum) throw new Error(`${name} does not have its checksum.`);
  return data;
}
