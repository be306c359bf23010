/**
 * Where the library differs from the recordings on purpose.
 *
 * A deviation does not excuse a difference: it says what must be answered
 * instead, and the case is judged by that.
 */
import type { Case, Fixtures } from "./case.ts";
import list from "./deviations.json" with { type: "json" };
import { toBytes } from "./key_ring.ts";
import { loginViews } from "./views.ts";
import type { WireAnswer } from "./wire.ts";

/** The key of an entry in `deviations.json`. */
export type DeviationId = keyof typeof list;

/** What is said of each deviation. */
export const deviationTexts: Readonly<
  Record<
    DeviationId,
    { readonly recorded: string; readonly instead: string; readonly reason: string }
  >
> = list;

/** A recording rewritten to what the library answers on purpose. */
export interface Deviation {
  readonly id: DeviationId;
  readonly instead: Case;
}

/** Replays a recording and returns the answer, keys as recorded. */
export type Replay = (recording: Case) => Promise<WireAnswer>;

const LIMIT = 65_536;
const NEW_TOKEN = '^\\{"token":"[0-9a-f]{40}"\\}$';

/** The deviation that a recording shows; `null` when there is none. */
export async function findDeviation(
  recording: Case,
  fixtures: Fixtures,
  replay: Replay,
): Promise<Deviation | null> {
  if (isStaleAuthorization(recording)) {
    const instead = await expectOwnAnswer(recording, fixtures, replay);
    return { id: "stale-authorization", instead };
  }
  if (isLargeBody(recording)) {
    const json = { detail: `Request body is larger than ${LIMIT} bytes.` };
    const headers = { "Content-Type": "application/json", Allow: "POST, OPTIONS" };
    return {
      id: "large-body",
      instead: expectAnswer(recording, { status: 413, headers, json, body: null }),
    };
  }
  if (isUnrecoverableKey(recording)) {
    const response = { ...recording.response, body_regex: NEW_TOKEN };
    return { id: "unrecoverable-key", instead: { ...recording, match: "token-new", response } };
  }
  const after = recording.after.map((one) =>
    isWeakened(one, fixtures) ? { check: "hash-unchanged", user: one.user } : one
  );
  return after.some((one, index) => one !== recording.after[index])
    ? { id: "stronger-hash", instead: { ...recording, after } }
    : null;
}

const CREDENTIAL_ERRORS = [/^Invalid token/, /^User inactive or deleted\.$/];

/** A login through the library's endpoint that failed for its header, before its body was read. */
function isStaleAuthorization({ request, response }: Case): boolean {
  const { json } = response;
  const detail = typeof json === "object" && json !== null && "detail" in json ? json.detail : null;
  return isObtain(request.path) && response.status === 401 && typeof detail === "string" &&
    request.headers.some(([name]) => name.toLowerCase() === "authorization") &&
    CREDENTIAL_ERRORS.some((text) => text.test(detail));
}

/** What the same request is answered without the header, which must not be a 401. */
async function expectOwnAnswer(
  recording: Case,
  fixtures: Fixtures,
  replay: Replay,
): Promise<Case> {
  const headers = recording.request.headers
    .filter(([name]) => name.toLowerCase() !== "authorization");
  const { status, body } = await replay({
    ...recording,
    request: { ...recording.request, headers },
  });
  if (status === 401) throw new Error("get-token answers 401 without credentials");
  const instead = expectAnswer(recording, {
    status,
    headers: { "Content-Type": "application/json", Allow: "POST, OPTIONS" },
    body,
  });
  const isNew = new RegExp(NEW_TOKEN).test(body) &&
    !fixtures.users.some(({ token }) => token !== null && body.includes(token));
  if (!isNew) return instead;
  // A first login makes another key each time.
  return {
    ...instead,
    match: "token-new",
    response: { ...instead.response, body_regex: NEW_TOKEN },
  };
}

/** A body above the limit, sent to an endpoint that reads it. */
function isLargeBody({ request }: Case): boolean {
  const path = request.path.split("?", 1)[0];
  return request.method === "POST" && loginViews.some((view) => view.path === path) &&
    (toBytes(request.body)?.length ?? 0) > LIMIT;
}

/** A login of a user whose key was stored as text, which the recording shows again. */
function isUnrecoverableKey({ setup, request, response }: Case): boolean {
  const { json } = response;
  const token = typeof json === "object" && json !== null && "token" in json ? json.token : null;
  const path = request.path.split("?", 1)[0];
  return typeof token === "string" && loginViews.some((view) => view.path === path) &&
    setup.some((one) => one.op === "set-token" && Object.values(one).includes(token));
}

const PBKDF2 = /^pbkdf2_sha256\$(\d+)\$([^$]{22,})\$/;

/** A hash that was stronger than the one recorded afterwards, and has a full salt. */
function isWeakened({ check, user, value }: Case["after"][number], fixtures: Fixtures): boolean {
  const encoded = fixtures.users.find(({ username }) => username === user)?.encoded ?? "";
  const iterations = Number(PBKDF2.exec(encoded)?.[1] ?? 0);
  const recorded = Number(/^pbkdf2_sha256\$(\d+)\$$/.exec(`${value}`)?.[1] ?? Infinity);
  return check === "hash-prefix" && iterations > recorded;
}

function isObtain(path: string): boolean {
  const view = loginViews.find((one) => one.path === path.split("?", 1)[0]);
  return view?.kind === "obtain";
}

function expectAnswer(
  recording: Case,
  answer: Pick<Case["response"], "status" | "headers" | "body"> & { readonly json?: unknown },
): Case {
  const response = { ...answer, headers_absent: ["WWW-Authenticate"], headers_regex: {} };
  return { ...recording, match: "exact", raw_exact: false, response, after: [] };
}
