import { describe, expect, it } from "vitest";
import { findClientAddress } from "../../src/http/client_address.ts";

const SOCKET = "198.51.100.9";
const CLIENT = "192.0.2.1";
const OUTER = "203.0.113.1";

function from(lines: readonly string[], address: string | null = SOCKET) {
  const headers = new Headers(lines.map((line): [string, string] => ["X-Forwarded-For", line]));
  return { headers, address };
}

/** What 0, 1 and 2 trusted proxies make of a request. */
function findAll(lines: readonly string[], address: string | null = SOCKET) {
  return [0, 1, 2].map((trusted) => findClientAddress(from(lines, address), trusted));
}

const hops = Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`);

describe("findClientAddress()", () => {
  it.each<[string, readonly string[], readonly (string | null)[]]>([
    ["no header", [], [SOCKET, SOCKET, SOCKET]],
    ["one value", [CLIENT], [SOCKET, CLIENT, CLIENT]],
    ["two values", [`${CLIENT}, ${OUTER}`], [SOCKET, OUTER, CLIENT]],
    ["a spoofed value on the left", [`6.6.6.6, ${CLIENT}, ${OUTER}`], [SOCKET, OUTER, CLIENT]],
    ["many on the left", [`6.6.6.6,7.7.7.7,,_x,"${CLIENT}"`, OUTER], [SOCKET, OUTER, CLIENT]],
    ["50 hops", [hops.join(", ")], [SOCKET, "10.0.0.49", "10.0.0.48"]],
    ["several lines", ["6.6.6.6", `7.7.7.7, ${CLIENT}`, OUTER], [SOCKET, OUTER, CLIENT]],
    ["no spaces", [`6.6.6.6,${CLIENT},${OUTER}`], [SOCKET, OUTER, CLIENT]],
    ["many spaces", [`6.6.6.6 ,\t ${CLIENT}  ,  ${OUTER} `], [SOCKET, OUTER, CLIENT]],
    ["ports and brackets", [`${CLIENT}:81, [2001:db8::1]:82`], [SOCKET, "2001:db8::/64", CLIENT]],
    ["an empty header", [""], [SOCKET, null, null]],
    ["an empty value", [`${CLIENT}, `], [SOCKET, null, CLIENT]],
    ["an empty value on the left", [`, ${CLIENT}`], [SOCKET, CLIENT, null]],
    ["an empty line", [CLIENT, "", OUTER], [SOCKET, OUTER, null]],
    ["a hidden client", [`6.6.6.6, unknown, ${OUTER}`], [SOCKET, OUTER, null]],
    ["garbage", ["6.6.6.6, <script>"], [SOCKET, null, "6.6.6.6"]],
    ["a name with a comma in quotes", ['"6.6.6.6,7.7.7.7"'], [SOCKET, null, null]],
    ["8 KiB of commas", [",".repeat(8_192)], [SOCKET, null, null]],
    ["8 KiB without one", ["1".repeat(8_192)], [SOCKET, null, null]],
  ])("counts the trusted proxies off from the right of %s (B6)", (_name, lines, expected) => {
    expect(findAll(lines)).toEqual(expected);
  });

  it.each<[string, readonly string[], readonly (string | null)[]]>([
    ["without a header", [], [null, null, null]],
    ["with one value", [CLIENT], [null, CLIENT, CLIENT]],
    ["with spoofed ones", [`6.6.6.6, ${CLIENT}, ${OUTER}`], [null, OUTER, CLIENT]],
  ])("knows no more than the proxies where the platform tells no address, %s (B6)", (
    _name,
    lines,
    expected,
  ) => {
    expect(findAll(lines, null)).toEqual(expected);
    const { headers } = from(lines);
    expect([0, 1, 2].map((trusted) => findClientAddress({ headers }, trusted))).toEqual(expected);
  });

  it.each([0, -1, NaN])("does not even read the header with %d trusted proxies (B6)", (trusted) => {
    const headers = {
      get(): never {
        throw new Error("read");
      },
    };
    expect(findClientAddress({ headers, address: SOCKET }, trusted)).toBe(SOCKET);
    expect(findClientAddress({ headers }, trusted)).toBe(null);
  });

  it("does not change with what a client adds on the left (B6)", () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => {
      const spoofed = [`9.9.${index >> 8}.${index & 255}`, "::1", "", "unknown", ","].slice(
        index % 5,
      );
      return findClientAddress(from([[...spoofed, CLIENT, OUTER].join(", ")]), 2);
    });
    expect(new Set(keys)).toEqual(new Set([CLIENT]));
  });

  it("reaches the leftmost of any row, and no further (B6)", () => {
    const request = from([hops.join(", ")]);
    for (const trusted of [50, 51, 1_000_000, Infinity]) {
      expect(findClientAddress(request, trusted)).toBe("10.0.0.0");
    }
    expect(findClientAddress(from([",".repeat(8_192)]), Infinity)).toBe(null);
  });

  it("gives the socket's spellings one text (B5)", () => {
    const keys = ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"].map((address) =>
      findClientAddress(from([], address), 0)
    );
    expect(new Set(keys)).toEqual(new Set([CLIENT]));
  });
});
