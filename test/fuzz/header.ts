/** Random `Authorization` headers against the guard: only the exact token of a scheme may pass. */
import {
  type Answer,
  bearer,
  createGuard,
  type Dialect,
  drf,
  type Guard,
  type GuardRequest,
  type Principal,
  readAuthorization,
  type Result,
  revokeToken,
  verifyToken,
} from "latchkey";
import * as onExpress from "latchkey/express";
import { makeAuth, makeUser, must } from "../fixture.ts";
import { issue } from "../http/issue.ts";
import { type Draw, makeDraw } from "./draw.ts";

/** Checks one random case after another. */
export interface Fuzz {
  /** Runs the next case. Throws, with the case in the message, when it is answered wrongly. */
  check(): Promise<void>;
  /** How often each outcome was right. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** A guard, and all that a header may be made of. */
interface World {
  readonly scheme: string;
  readonly guard: Guard<Principal>;
  readonly express: onExpress.ExpressHandler<{ principal: Principal }>;
  readonly text: string;
  /** Another user, whom no request names. */
  readonly nobody: Principal;
  /** Matches the headers that may pass, and no others. */
  readonly good: RegExp;
  /** Tokens that were good once or somewhere else. */
  readonly others: readonly [string, ...string[]];
}

const SPACES: readonly [string, ...string[]] = [" ", "  ", "\t", " \t", "\v", "\f", "\r\n"];

/** Makes the cases of a seed. */
export async function makeHeaderFuzz(seed: number): Promise<Fuzz> {
  const draw = makeDraw(seed);
  const worlds = [await makeWorld(draw, drf()), await makeWorld(draw, bearer())] as const;
  const outcomes = new Map<string, number>();
  return {
    outcomes,
    async check() {
      const world = draw.one(worlds);
      const lines = drawLines(draw, world);
      const header = lines.length === 0 ? null : lines.join(", ");
      const passes = header !== null && header.length <= 8_192 && world.good.test(header);
      const failed = (what: string) =>
        new Error(`${what} for ${world.scheme} and ${JSON.stringify(lines)}`);
      const read = readAuthorization(header, [world.scheme]);
      if (passes !== (read.kind === "present" && read.text === world.text)) {
        throw failed(`read ${JSON.stringify(read)}`);
      }
      const given = await world.guard(request(header));
      const outcome = describeOutcome(given, world.text);
      if (passes ? outcome !== "ada" : !/^(400|401)$/.test(outcome)) throw failed(outcome);
      for (const [kind, other] of await askOthers(world, lines, header)) {
        if (other !== outcome) throw failed(`${outcome}, but ${other} in ${kind}`);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    },
  };
}

async function makeWorld(draw: Draw, dialect: Dialect): Promise<World> {
  const random = (size: number) => Uint8Array.from({ length: size }, () => draw.number(256));
  const { auth } = makeAuth({ dialect, random, touchInterval: null });
  const { scheme } = dialect;
  const ada = await makeUser(auth, "ada");
  const { text } = await issue(auth, ada);
  const revoked = await issue(auth, ada);
  const other = await issue(auth, await makeUser(auth, "nobody"));
  await revokeToken(auth, revoked.token.id);
  const unknown = await issue(makeAuth({ random }).auth, ada);
  const letters = Array.from(
    scheme,
    (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`,
  );
  return {
    scheme,
    guard: createGuard(auth),
    express: onExpress.guard(auth),
    text,
    nobody: must(await verifyToken(auth, other.text)),
    good: new RegExp(
      `^[ \\t\\n\\v\\f\\r]*${letters.join("")}[ \\t\\n\\v\\f\\r]+${text}[ \\t\\n\\v\\f\\r]*$`,
    ),
    others: [revoked.text, unknown.text, text.slice(0, -1), "", "null", "[object Object]"],
  };
}

/** The lines of one request, as they are sent. */
function drawLines(draw: Draw, world: World): readonly string[] {
  if (draw.once(100)) return [];
  if (!draw.once(20)) return [drawLine(draw, world)];
  // Servers take the white space around each line away, so that what is joined has none.
  return [drawLine(draw, world), drawLine(draw, world)]
    .map((line) => line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
}

function drawLine(draw: Draw, { scheme, text, others }: World): string {
  const good = `${draw.once(4) ? draw.mutate(scheme, 1) : scheme}${draw.one(SPACES)}${text}`;
  switch (draw.number(16)) {
    case 0:
      return draw.text(60, 0x100);
    case 1:
      return draw.text(60, 0x10000);
    case 2:
      return `${scheme} ${draw.text(60, 0x100)}`;
    case 3:
      return `${scheme} ${draw.mutate(draw.one(others), 2)}`;
    case 4:
      return `${scheme} ${draw.one(others)}`;
    case 5:
      return `${draw.one(SPACES)}${good}${draw.one(SPACES)}`;
    case 6:
      return Array.from(
        { length: draw.number(8) },
        () =>
          draw.one([
            scheme,
            scheme.toLowerCase(),
            text,
            " ",
            ",",
            "=",
            "\t",
            "\xff",
            "\xc3",
            "\ud800",
          ]),
      )
        .join("");
    case 7:
      // Long ones cost time, so they are rare.
      return draw.once(50) ? good + draw.one([" ", "a", ",", "a,", "\t"]).repeat(8_000) : good;
    default:
      return draw.mutate(good, 4);
  }
}

function request(value: string | null): GuardRequest {
  return { method: "GET", headers: { get: (name) => name === "authorization" ? value : null } };
}

/** The user who is let in, or the status. */
function describeOutcome(result: Result<Principal, Answer>, text: string): string {
  if (result.ok) return result.value.user.username;
  const { status, headers, body } = result.failure;
  if (headers["WWW-Authenticate"] === undefined) return `${status} without a challenge`;
  if (JSON.stringify([headers, body]).includes(text)) return `${status} with the token in it`;
  return `${status}`;
}

/** The same lines in what platforms and frameworks keep headers in. */
async function askOthers(
  world: World,
  lines: readonly string[],
  header: string | null,
): Promise<readonly (readonly [string, string])[]> {
  const { guard, text } = world;
  const headers = makeHeaders(lines);
  const record: Record<string, string> = header === null ? {} : { authorization: header };
  const recordHeaders = { get: (name: string) => record[name.toLowerCase()] ?? null };
  return [
    ["a record", describeOutcome(await guard({ method: "GET", headers: recordHeaders }), text)],
    ["Express", await askExpress(world, lines)],
    ...(headers === null
      ? []
      : [["Headers", describeOutcome(await guard({ method: "GET", headers }), text)] as const]),
  ];
}

/** `null` where the platform lets no such header through, or no server does. */
function makeHeaders(lines: readonly string[]): Headers | null {
  if (lines.some((line) => /[\0\r\n]/.test(line))) return null;
  const headers = new Headers();
  try {
    for (const line of lines) headers.append("AUTHORIZATION", line);
    return headers;
  } catch {
    return null;
  }
}

function askExpress(
  { express, nobody }: World,
  lines: readonly string[],
): Promise<string> {
  const rawHeaders = lines.flatMap((line) => ["AuthoriZation", line]);
  return new Promise((resolve, reject) => {
    const locals = { principal: nobody };
    express(
      { method: "GET", url: "/", rawHeaders, readableEnded: false, [Symbol.asyncIterator]: none },
      { locals, appendHeader() {}, writeHead: (status: number) => resolve(`${status}`), end() {} },
      (error) => error === undefined ? resolve(locals.principal.user.username) : reject(error),
    );
  });
}

async function* none(): AsyncGenerator<Uint8Array> {}
