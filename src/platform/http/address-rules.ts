import ipaddr from 'ipaddr.js';

/**
 * Addresses that look public and are not: the metadata and control service that Azure gives every
 * machine under 168.63.129.16.
 */
const LOCAL_ALTHOUGH_UNICAST = new Set(['168.63.129.16']);

/** The only IPv6 block that is given out to the public (RFC 4291 and IANA's register): 2000::/3. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** Translated to IPv4 by a gateway (RFC 6052): the IPv4 address inside is the one that counts. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * True where `address` (IPv4 or IPv6, as the resolver writes it) belongs to the public internet. Private,
 * loopback, link-local (with the clouds' metadata services), shared (CGNAT), multicast, documentation,
 * benchmark and reserved blocks do not, nor do the IPv6 forms that stand for such an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) return isPublicV4(parsed);
  if (parsed.isIPv4MappedAddress()) return isPublicV4(parsed.toIPv4Address());
  if (parsed.match(NAT64)) return isPublicV4(new ipaddr.IPv4(parsed.toByteArray().slice(12)));
  return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST);
}

function isPublicV4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && !LOCAL_ALTHOUGH_UNICAST.has(address.toString());
}
