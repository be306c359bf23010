import { normalizeAddress } from "../pure/address.ts";

/** What tells where a request came from; the requests of guards and endpoints do. */
export interface AddressedRequest {
  /** The headers, by name without regard to case; several lines of one joined by `", "`. */
  readonly headers: { get(name: string): string | null };
  /** The address of the socket's other end; absent or `null` when the platform does not tell. */
  readonly address?: string | null;
}

/**
 * Finds the address of the client behind a number of proxies that are trusted.
 *
 * With 0, and with what is no positive number, it is the socket's address, and
 * no header is read. With more, the proxies are counted off from the right of
 * the values of `X-Forwarded-For` followed by the socket's address: what stands
 * further left is what the client says of itself, and counts for nothing. A
 * platform that does not tell the socket's address still has its place in the
 * row. Count only proxies that add to this header, and let nobody reach the
 * server but through them.
 *
 * In a row that is too short it is the leftmost: the request did not pass all the
 * proxies, or there are fewer of them. Nobody gains by a short row, since whoever gets
 * around a proxy can as well make it longer; the socket's address, a proxy's own, would
 * make all the others one client, and `null` would let them pass uncounted.
 *
 * The result is one text for all spellings of a client, as
 * {@link normalizeAddress} writes it. `null` means not known: the platform does not
 * tell, or what stands in the client's place is empty or no address. A neighbour never
 * takes that place: further right all clients share a proxy, further left they choose.
 */
export function findClientAddress(
  request: AddressedRequest,
  trustedProxies: number,
): string | null {
  const forwarded = trustedProxies > 0 ? request.headers.get("x-forwarded-for") : null;
  return normalizeAddress(
    forwarded === null ? request.address ?? "" : readFromRight(forwarded, trustedProxies),
  );
}

/** The value at a place counted from 1 on the right, or the leftmost; empty values count. */
function readFromRight(list: string, place: number): string {
  let end = list.length;
  for (let passed = 1; passed < place; passed++) {
    const comma = findComma(list, end);
    if (comma === -1) break;
    end = comma;
  }
  return list.slice(findComma(list, end) + 1, end);
}

/** The last comma before `end`. No list is made: only the values that are counted are looked at. */
function findComma(list: string, end: number): number {
  return end === 0 ? -1 : list.lastIndexOf(",", end - 1);
}
