import { bearer, createGuard, drf, hexFormat, prefixedFormat, readAuthorization } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { expect, it } from "vitest";
import { makeAuth, seededNumbers } from "../fixture.ts";

/** What reaches the database of others as a number, a pattern, a path or a statement. */
const texts: readonly string[] = [
  '"138|abc',
  "'1|x",
  "-1|x",
  "1e3|x",
  "99999999999999999999|x",
  "1'OR'1'='1",
  "');DROP",
  "%",
  "_",
  "*",
  "../../token",
  "$ne",
  "{}",
  "[]",
  '{"$ne":null}',
  "__proto__",
  "constructor",
  "%00",
  "\\x00",
  "\0",
  "null",
  "undefined",
  "NaN",
  "[object",
  "true",
  "0",
  "a".repeat(8_000),
];

it.each([["drf", drf()], ["bearer", bearer()]])(
  "H11, H12: what is no token is refused before the store is asked, in the dialect %s",
  async (_name, dialect) => {
    const asked: string[] = [];
    const store = new Proxy(memoryStore(), {
      get(target, name, receiver) {
        asked.push(String(name));
        return Reflect.get(target, name, receiver);
      },
    });
    const { auth } = makeAuth({ dialect, store, formats: [prefixedFormat(), hexFormat] });
    const guard = createGuard(auth);
    asked.length = 0;
    for (const text of texts) {
      const headers = new Map([["authorization", `${dialect.scheme} ${text}`]]);
      const result = await guard({
        method: "GET",
        headers: { get: (name) => headers.get(name) ?? null },
      });
      expect(result, text).toMatchObject({ failure: { status: 401 } });
    }
    expect(asked).toEqual([]);
  },
);

// What is never looked at takes no time, so that the work on a header of any length is bounded.
it("H9, H10: of a header above 8,192 characters only the first 8,192 decide", () => {
  const seed = Date.now() >>> 0;
  const draw = seededNumbers(seed);
  const units = ["a,", "=", " ", "\t;,", "Token ", "\xff", "é", "a b", '"', "Basic "];
  const repeat = () => (units[draw(units.length)] ?? "").repeat(1 + draw(20_000));
  for (const beginning of ["Token ", "token\t", "Bearer ", "Token", " ", ""]) {
    for (const unit of units) {
      const head = (beginning + unit.repeat(8_192)).slice(0, 8_192);
      const read = readAuthorization(`${head}x`, ["Token"]);
      expect(["absent", "malformed"]).toContain(read.kind);
      for (let round = 0; round < 5; round++) {
        const tail = repeat();
        expect(readAuthorization(`${head}${tail}`, ["Token"]), `seed ${seed}`).toEqual(read);
      }
    }
  }
});
