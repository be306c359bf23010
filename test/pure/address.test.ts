import { describe, expect, it } from "vitest";
import { normalizeAddress } from "../../src/pure/address.ts";
import { seededNumbers } from "../fixture.ts";

const seed = Date.now() >>> 0;
const draw = seededNumbers(seed);
const drawGroup = () => draw(65_536).toString(16);

describe("normalizeAddress()", () => {
  it.each([
    ["192.0.2.1", [
      "192.0.2.1",
      "192.0.2.1:443",
      ' "192.0.2.1:443"\t',
      "::ffff:192.0.2.1",
      "::FFFF:C000:201",
      "0:0:0:0:0:ffff:c000:0201",
      "0000:0000:0000:0000:0000:ffff:192.0.2.1",
      "[::ffff:192.0.2.1]:65535",
      "::ffff:192.0.2.1%eth0",
      "64:ff9b::192.0.2.1",
      "64:FF9B::c000:201",
      "0064:ff9b:0:0:0:0:192.0.2.1",
    ]],
    ["0.0.0.0", ["0.0.0.0", "::ffff:0:0", "0.0.0.0:0"]],
    ["255.255.255.255", ["255.255.255.255", "::ffff:ffff:ffff"]],
    ["2001:db8:0:1::/64", [
      "2001:db8:0:1::",
      "2001:db8:0:1::1",
      "2001:DB8:0:1:0:0:0:1",
      "2001:0db8:0000:0001:ffff:ffff:ffff:ffff",
      "2001:db8::1:a:b:c:d",
      "2001:db8:0:1:1:1:192.0.2.1",
      "[2001:db8:0:1::1]",
      '"[2001:db8:0:1::1]:443"',
      "[2001:db8:0:1::1%25eth0]:443",
      "2001:db8:0:1::1%eth0.1",
    ]],
    ["2001:db8::/64", ["2001:db8::", "2001:db8::8:1", "2001:db8:0:0:1:0:0:1"]],
    ["2001:0:0:1::/64", ["2001::1:0:0:0:0", "2001:0:0:1:9::"]],
    ["0:0:0:1::/64", ["::1:0:0:0:0", "0:0:0:1::"]],
    ["1:20:0:30::/64", ["1:20:0:30::", "1:20::30:0:0:0:1"]],
    ["1::/64", ["1::", "1::8", "1:0:0:0:5:6:7:8", "1::5:6:7:8"]],
    ["fe80::/64", ["fe80::1", "fe80::1%12", "fe80::1%en0", "FE80::2"]],
    ["::/64", ["::", "::1", "[::1]:80", "::192.0.2.1", "::c000:201", "::ffff:0:192.0.2.1"]],
    ["64:ff9b:1::/64", ["64:ff9b:1::192.0.2.1"]],
  ])("writes %s for all its spellings (B5)", (expected, spellings) => {
    expect(spellings.map(normalizeAddress)).toEqual(spellings.map(() => expected));
  });

  it.each([
    ["nothing", ["", " ", '""', "[]", "[]:80", ":", ":80"]],
    ["a name", ["unknown", "_hidden", "localhost", "example.com", "for=192.0.2.1", "null"]],
    ["a socket's path", ["/run/app.sock", "unix:/run/app.sock", "unix:"]],
    ["other IPv4", [
      "192.0.2",
      "192.0.2.1.1",
      "192.0.2.01",
      "0192.0.2.1",
      "192.0.2.256",
      "192.0.2.1000",
      "0xc0.0.2.1",
      "3221225985",
      "192.0.2.",
      ".192.0.2.1",
      "192..2.1",
      "-1.0.2.1",
      "1e1.0.2.1",
      "192.0.2.1/24",
      "192.0.2.1%eth0",
      "[192.0.2.1]",
      "192.0.2.1:",
      "192.0.2.1:http",
      "192.0.2.1:65536",
      "192.0.2.1:000000",
      "192.0.2.1 192.0.2.2",
      "192.0.2.1\u0000",
      "１９２.0.2.1",
    ]],
    ["other IPv6", [
      ":::",
      "::1::",
      "1:::2",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "1:2:3:4::5:6:7:8",
      "12345::",
      "g::",
      "::-1",
      ":1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:",
      "192.0.2.1::",
      "::192.0.2.1:1",
      "::192.0.2.01",
      "::192.0.2",
      "::1%",
      "::1%eth0%eth1",
      "::1%eth 0",
      "::1/64",
      "[::1",
      "::1]",
      "[[::1]]",
      "[::1]80",
      "[::1]:",
      "[::1]:65536",
      "[::1]%eth0",
      '"::1',
    ]],
    ["too much", [`${" ".repeat(128)}::1`, `::1%${"a".repeat(200)}`, "1:".repeat(50_000)]],
  ])("takes %s for no address (B5)", (_name, texts) => {
    expect(texts.filter((text) => normalizeAddress(text) !== null)).toEqual([]);
  });

  it("gives 1,000 addresses in one /64 one text, and another /64 another (B5)", () => {
    const network = ["2001", "db8", drawGroup(), drawGroup()];
    const texts = Array.from({ length: 1_000 }, () => {
      const host = Array.from({ length: 4 }, drawGroup);
      return normalizeAddress([...network, ...host].join(":"));
    });
    expect(new Set(texts).size, `seed ${seed}`).toBe(1);
    const neighbours = Array.from(
      { length: 1_000 },
      (_, index) => normalizeAddress(`2001:db8:0:${index.toString(16)}::1`),
    );
    expect(new Set(neighbours).size).toBe(1_000);
  });

  it("gives every spelling of a random address one text, and reads that text as a URL does (B5)", () => {
    for (let round = 0; round < 1_000; round++) {
      // Zeros are what spellings differ in.
      const groups = Array.from({ length: 8 }, () => draw(2) === 0 ? "0" : drawGroup());
      const texts = spell(groups).map(normalizeAddress);
      const hint = `seed ${seed}: ${groups.join(":")}`;
      expect(new Set(texts).size, hint).toBe(1);
      const network = new URL(`http://[${groups.slice(0, 4).join(":")}::]`).hostname;
      expect(`[${texts[0]}]`, hint).toBe(network.replace("]", "/64]"));
    }
  });

  it("throws for no text, and gives an address or nothing (B5)", () => {
    const alphabet = [...':.%[]"/ 0123456789afAFgx', "::", "ffff", "192.0.2.1", "\u0000", "\ud800"];
    for (let round = 0; round < 20_000; round++) {
      const parts = Array.from({ length: draw(12) }, () => alphabet[draw(alphabet.length)]);
      const result = normalizeAddress(parts.join(""));
      if (result !== null) expect(result).toMatch(/^(?:[\d.]+|[\da-f:]*::\/64)$/);
    }
  });
});

/** The same address in other ways: padded, upper-case, each of its runs of zeros cut out, wrapped. */
function spell(groups: readonly string[]): string[] {
  const whole = groups.join(":");
  const cuts = groups.flatMap((_, start) =>
    groups.flatMap((_, index) => {
      const end = index + 1;
      if (end <= start || groups.slice(start, end).some((group) => group !== "0")) return [];
      return [`${groups.slice(0, start).join(":")}::${groups.slice(end).join(":")}`];
    })
  );
  const bytes = groups.slice(6).map((group) => parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255]);
  const texts = [
    whole,
    groups.map((group) => group.padStart(4, "0")).join(":"),
    `${groups.slice(0, 6).join(":")}:${bytes.join(".")}`,
    ...cuts,
  ];
  return texts.flatMap((text) => [
    text,
    text.toUpperCase(),
    `[${text}]`,
    `"[${text}]:${draw(65_536)}"`,
    `${text}%eth${draw(10)}`,
  ]);
}
