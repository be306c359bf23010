/** The longest text that is looked at: an IPv6 address with brackets, zone and port is shorter. */
const MAX_LENGTH = 128;

/** The first 96 bits of the IPv6 addresses that only carry an IPv4 address (RFC 4291, RFC 6052). */
const CARRIERS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/**
 * Gives one text for all spellings of the address of one client.
 *
 * An IPv4 address is its four numbers, `192.0.2.1`. An IPv6 address is its
 * network of 64 bits, `2001:db8:0:1::/64`, because a client has all the
 * addresses in it; whoever has a larger network still has many texts. Case,
 * zeros, brackets, quotes, spaces around, a port and a zone make no difference.
 *
 * An IPv6 address that only carries an IPv4 one is that: v4-mapped,
 * `::ffff:192.0.2.1`, and behind a translator, `64:ff9b::192.0.2.1`, where
 * one `/64` would hold all of IPv4. The deprecated `::192.0.2.1` is not: no
 * host sends from it, so it is `::/64`, as `::1` is.
 *
 * What is no address is `null`, never an error: an empty text, a name, `unknown`,
 * `_hidden`, the path of a socket, IPv4 with a leading zero, in octal or
 * hexadecimal or with fewer than four numbers, a text above 128 characters.
 */
export function normalizeAddress(text: string): string | null {
  if (text.length > MAX_LENGTH) return null;
  const trimmed = text.trim();
  const value = /^"(.*)"$/.exec(trimmed)?.[1] ?? trimmed;
  const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(\d+))?$/.exec(value) ?? [];
  if (bracketed !== undefined) return isPort(bracketedPort) ? normalizeIpv6(bracketed) : null;
  const [, dotted, port] = /^([\d.]+)(?::(\d+))?$/.exec(value) ?? [];
  if (dotted === undefined) return normalizeIpv6(value);
  return isPort(port) ? parseIpv4(dotted)?.join(".") ?? null : null;
}

function isPort(text: string | undefined): boolean {
  return text === undefined || (text.length <= 5 && Number(text) <= 65_535);
}

function normalizeIpv6(text: string): string | null {
  const groups = parseIpv6(text.replace(/%[\w.~-]+$/, ""));
  if (groups === null) return null;
  if (CARRIERS.some((carrier) => carrier.every((group, index) => groups[index] === group))) {
    return groups.slice(6).flatMap((group) => [group >> 8, group & 255]).join(".");
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16)).join(":");
  return `${network.replace(/(?:^|:)0(?::0)*$/, "")}::/64`;
}

/** The four numbers, strictly: another reader may take a leading zero for octal. */
function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  const isAddress = parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return isAddress ? parts.map(Number) : null;
}

/** The eight groups of 16 bits; the last two may be written as IPv4. */
function parseIpv6(text: string): number[] | null {
  const [front = "", back, ...rest] = unfoldIpv4(text).split("::");
  if (rest.length > 0) return null;
  const head = parseGroups(front);
  const tail = parseGroups(back ?? "");
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (back === undefined ? missing !== 0 : missing < 1) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** Writes an IPv4 address at the end of an IPv6 one as two groups. */
function unfoldIpv4(text: string): string {
  const start = text.lastIndexOf(":") + 1;
  const bytes = parseIpv4(text.slice(start))?.map((byte) => byte.toString(16).padStart(2, "0"));
  if (bytes === undefined) return text;
  return `${text.slice(0, start)}${bytes.slice(0, 2).join("")}:${bytes.slice(2).join("")}`;
}

function parseGroups(text: string): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[\da-f]{1,4}$/i.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : null;
}
