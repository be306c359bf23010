import { bearer, createObtainToken, drf, type EndpointRequest, readBody } from "latchkey";
import { describe, expect, it } from "vitest";
import { makeAuth } from "../fixture.ts";

const JSON_TYPE = "application/json";
const FORM = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=B";

function request(body: string | Uint8Array<ArrayBuffer> | null, type: string | null): Request {
  const headers = new Headers(type === null ? {} : { "Content-Type": type });
  const sent = new Request("http://test/", { method: "POST", body, headers });
  if (type === null) sent.headers.delete("content-type");
  return sent;
}

async function read(body: string | Uint8Array<ArrayBuffer>, type: string | null): Promise<unknown> {
  const result = await readBody(request(body, type));
  return result.ok ? result.value : result.failure;
}

const malformed = (kind: string) => ({ reason: "malformed_body", kind });
const unsupported = (mediaType: string) => ({ reason: "unsupported_media_type", mediaType });
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const part = (name: string, value: string) =>
  `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

describe("readBody()", () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>, string | null, unknown]>([
    ["JSON", '{"a":1}', JSON_TYPE, { a: 1 }],
    ["JSON with parameters", '{"a":1}', 'Application/JSON ; charset="utf-8"', { a: 1 }],
    ["JSON in another charset", latin1('{"a":"\xe9"}'), `${JSON_TYPE}; charset=iso-8859-1`, {
      a: "é",
    }],
    ["JSON in an unknown charset as UTF-8", '{"a":"é"}', `${JSON_TYPE}; charset=klingon`, {
      a: "é",
    }],
    [
      "JSON in a charset by Python's name",
      latin1('{"a":"\xe9"}'),
      `${JSON_TYPE}; charset=latin-1`,
      { a: "é" },
    ],
    ["JSON of repeated keys: the last wins", '{"a":1,"a":2}', JSON_TYPE, { a: 2 }],
    ["JSON null", "null", JSON_TYPE, null],
    ["an empty body of any type", "", "text/plain", {}],
    ["malformed JSON", '{"a":', JSON_TYPE, malformed("JSON")],
    ["JSON with NaN", '{"a":NaN}', JSON_TYPE, malformed("JSON")],
    ["JSON after a byte order mark", '\ufeff{"a":1}', JSON_TYPE, malformed("JSON")],
    ["JSON that is not UTF-8", latin1('{"a":"\xff"}'), JSON_TYPE, malformed("JSON")],
    ["compressed JSON", latin1("\x1f\x8b\x08\0"), JSON_TYPE, malformed("JSON")],
    ["a form", "a=1&b=x+y%21&c", FORM, { a: "1", b: "x y!", c: "" }],
    ["a form of repeated keys: the last wins", "a=1&a=2", FORM, { a: "2" }],
    ["a form with semicolons, which do not separate", "a=1;b=2", FORM, { a: "1;b=2" }],
    ["a form in another charset", "a=%E9", `${FORM}; charset=iso-8859-1`, { a: "é" }],
    ["a form of bad escapes", "a=%zz%4&b=%", FORM, { a: "%zz%4", b: "%" }],
    ["a form of empty pairs", "&&a=1&&=2&", FORM, { a: "1", "": "2" }],
    ["multipart", `${part("a", "1")}${part("b", "é")}--B--\r\n`, MULTIPART, { a: "1", b: "é" }],
    [
      "multipart of repeated names: the last wins",
      `${part("a", "1")}${part("a", "2")}--B--\r\n`,
      MULTIPART,
      { a: "2" },
    ],
    [
      "multipart with text before and after its parts",
      `before\r\n${part("a", "1")}--B-- \r\nafter`,
      MULTIPART,
      { a: "1" },
    ],
    [
      "multipart with unquoted and escaped names",
      `${part("x", "1").replace('"x"', "a")}${part('b\\"c', "2")}--B--`,
      MULTIPART,
      { a: "1", 'b"c': "2" },
    ],
    [
      "multipart with a file field left empty, as no field",
      `${part("a", "").replace('"a"', '"a"; filename=""')}--B--\r\n`,
      MULTIPART,
      {},
    ],
    [
      "multipart with line breaks and delimiters inside a value",
      `${part("a", "1\r\n--C\n--Bx\r\n")}--B--\r\n`,
      MULTIPART,
      { a: "1\r\n--C\n--Bx\r\n" },
    ],
    [
      "multipart with an empty value whose blank line the delimiter follows",
      `--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n--B--\r\n`,
      MULTIPART,
      { a: "" },
    ],
    [
      "multipart with a file that has only an extended name, as a file",
      `${part("a", "1").replace('"a"', `"a"; filename*=UTF-8''x`)}--B--\r\n`,
      MULTIPART,
      { a: { filename: "UTF-8''x" } },
    ],
    ["multipart cut short", part("a", "1"), MULTIPART, malformed("multipart")],
    ["multipart without parts", "--B--\r\n", MULTIPART, {}],
    [
      "multipart without a boundary",
      `${part("a", "1")}--B--\r\n`,
      "multipart/form-data",
      malformed("multipart"),
    ],
    ["multipart that is none", "hello", MULTIPART, malformed("multipart")],
    ["J4: text", '{"a":1}', "text/plain", unsupported("text/plain")],
    ["J4: no type", "a=1", null, unsupported("")],
    ["J4: two types", "{}", `${JSON_TYPE}, text/plain`, unsupported(`${JSON_TYPE}, text/plain`)],
    [
      "J4: a type that only begins alike",
      "{}",
      "application/jsonp",
      unsupported("application/jsonp"),
    ],
  ])("reads %s", async (_name, body, type, expected) => {
    expect(await read(body, type)).toEqual(expected);
  });

  it("J1: keys of prototypes are plain keys", async () => {
    const body = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":1}';
    const value = await read(body, JSON_TYPE);
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor", "then"]);
    await read("__proto__=1&__proto__[polluted]=1", FORM);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it.each(["[", '{"a":', '[[[{"a":['])(
    "J3: nesting of %j 60,000 bytes deep ends in a value",
    async (unit) => {
      const body = unit.repeat(Math.floor(60_000 / unit.length));
      expect(await read(body, JSON_TYPE)).toEqual(malformed("JSON"));
    },
  );

  it("J2: a body of the limit is read, one byte more is refused", async () => {
    const body = `"${"a".repeat(98)}"`;
    expect(await readBody(request(body, JSON_TYPE), 100)).toEqual({
      ok: true,
      value: "a".repeat(98),
    });
    expect(await readBody(request(`${body} `, JSON_TYPE), 100))
      .toEqual({ ok: false, failure: { reason: "body_too_large", limit: 100 } });
  });

  it("J2: an endless body without a length is stopped at the limit", async () => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1_000));
      },
      cancel() {
        cancelled = true;
      },
    });
    const endless: EndpointRequest = {
      method: "POST",
      url: "/",
      headers: new Headers({ "Content-Type": JSON_TYPE }),
      body,
      bodyUsed: false,
    };
    expect(await readBody(endless, 10_000)).toMatchObject({
      failure: { reason: "body_too_large" },
    });
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(20);
  });

  /** A body of which the beginning comes at once, and the rest when it is let go. */
  function drip(beginning: string) {
    let cancelled = false;
    let rest: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        rest = controller;
        controller.enqueue(latin1(beginning));
      },
      cancel() {
        cancelled = true;
        // As a socket that does not close before more arrives.
        return new Promise(() => {});
      },
    });
    const slow: EndpointRequest = {
      method: "POST",
      url: "/",
      headers: new Headers({ "Content-Type": JSON_TYPE }),
      body,
      bodyUsed: false,
    };
    const send = (text: string) => {
      rest?.enqueue(latin1(text));
      rest?.close();
    };
    return { slow, send, breakOff: () => rest?.error(new Error()), wasCancelled: () => cancelled };
  }

  it("J2: a body that does not come in time is given up, and waited for no longer", async () => {
    const { slow, wasCancelled } = drip('{"a":');
    expect(await readBody(slow, 100, 5)).toEqual({
      ok: false,
      failure: { reason: "body_timeout" },
    });
    expect(wasCancelled()).toBe(true);
  });

  it("J2: a body that comes in time is read, however slowly", async () => {
    const { slow, send } = drip('{"a":');
    const reading = readBody(slow, 100, 60_000);
    send("1}");
    expect(await reading).toEqual({ ok: true, value: { a: 1 } });
  });

  it("J2: a body that breaks off is refused, and no error", async () => {
    const { slow, breakOff } = drip("{}");
    const reading = readBody(slow, 100, 60_000);
    breakOff();
    expect(await reading).toEqual({ ok: false, failure: { reason: "incomplete_body" } });
  });

  it("J2: a body that is too large is refused without waiting for its end", async () => {
    expect(await readBody(drip("x".repeat(101)).slow, 100, 60_000)).toMatchObject({
      failure: { reason: "body_too_large" },
    });
  });

  it.each([
    ["drf", drf(), "The request body did not arrive in time.", "The request body broke off."],
    ["bearer", bearer(), "Send the body faster.", "The body broke off."],
  ])(
    "J2: answers what does not come whole, and closes the connection, in the dialect %s",
    async (_name, dialect, late, broken) => {
      const { auth } = makeAuth({ dialect });
      const answerTo = async (slow: EndpointRequest) => {
        const { status, headers, body } = await createObtainToken(auth, { bodyTimeout: 5 })(slow)
          .then(async (answer) => ({
            status: answer.status,
            headers: answer.headers,
            body: JSON.parse(await answer.text()),
          }));
        return [status, headers.get("Connection"), headers.get("Cache-Control"), body.detail];
      };
      expect(await answerTo(drip("{").slow)).toEqual([408, "close", "no-store", late]);
      const { slow, breakOff } = drip("{");
      breakOff();
      expect(await answerTo(slow)).toEqual([400, "close", "no-store", broken]);
    },
  );

  it.each([0, -1, 0.5, NaN, Infinity])("F5: refuses a bodyTimeout of %s", (bodyTimeout) => {
    const { auth } = makeAuth();
    expect(() => createObtainToken(auth, { bodyTimeout })).toThrow("Cannot use bodyTimeout");
  });

  it("J3: a form of 1,000 fields is read, one field more is refused", async () => {
    expect(await read("a&".repeat(1_000), FORM)).toEqual({ a: "" });
    expect(await read("a&".repeat(1_001), FORM)).toEqual(malformed("form"));
    const parts = (count: number) => `${part("a", "1").repeat(count)}--B--`;
    expect(await read(parts(1_000), MULTIPART)).toEqual({ a: "1" });
    expect(await read(parts(1_001), MULTIPART)).toEqual(malformed("multipart"));
  });

  it("J2: a declared length above the limit is refused unread, a lying one does not help", async () => {
    const declare = (length: string, body: string): EndpointRequest => ({
      method: "POST",
      url: "/",
      headers: new Headers({ "Content-Type": JSON_TYPE, "Content-Length": length }),
      body: new Blob([body]).stream(),
      bodyUsed: false,
    });
    expect(await readBody(declare("101", "{}"), 100)).toMatchObject({ ok: false });
    expect(await readBody(declare("1", `"${"a".repeat(200)}"`), 100)).toMatchObject({ ok: false });
    expect(await readBody(declare("nonsense", "{}"), 100)).toEqual({ ok: true, value: {} });
  });

  it("J6: takes what a body parser has made of the body, and says clearly when the body is gone", async () => {
    const consumed = { method: "POST", url: "/", body: null, bodyUsed: true };
    const headers = new Headers({ "Content-Type": FORM });
    expect(await readBody({ ...consumed, headers, parsed: { a: "1" } })).toEqual({
      ok: true,
      value: { a: "1" },
    });
    expect(await readBody({ ...consumed, headers, parsed: "a=1" })).toEqual({
      ok: true,
      value: { a: "1" },
    });
    expect(await readBody({ ...consumed, headers, parsed: latin1("a=1") })).toEqual({
      ok: true,
      value: { a: "1" },
    });
    await expect(readBody({ ...consumed, headers })).rejects.toThrow(
      /^Cannot read the body: it was consumed before, mount the endpoint ahead/,
    );
  });
});
