import { fail, ok, type Result } from "../data/result.ts";
import { formatCursor, parseCursor } from "../pure/cursor.ts";
import type { OwnedToken, RevokedReason, Token } from "../pure/record.ts";
import { endOf, toToken } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { viewToken } from "./issue.ts";
import { ask, readList } from "./store_answer.ts";

/** Which part of a list is wanted. */
export interface ListOptions {
  /** The `next` of the part before; the first part when absent. */
  readonly cursor?: string;
  /** How many tokens, from 1 to 100; 25 when absent. */
  readonly limit?: number;
}

/** Whether a token holds, and otherwise why not. */
export type TokenStatus = "active" | "revoked" | "expired" | "idle" | "rotated";

/** A token in its owner's list. */
export interface ListedToken<Scope extends string = string> extends Token<Scope> {
  /** Whether it holds, and otherwise why not. */
  readonly status: TokenStatus;
  /** When it was revoked; `null` while it is not, and when an epoch ended it. */
  readonly revokedAt: number | null;
  /** Why it was revoked; `null` as above. */
  readonly revokedReason: RevokedReason | null;
}

/** A part of a list. */
export interface TokenList<Scope extends string = string> {
  /** The tokens of this part. */
  readonly tokens: readonly ListedToken<Scope>[];
  /** What to ask the next part with; `null` when this is the last. */
  readonly next: string | null;
}

/** Why a list was not given. */
export interface ListFailure {
  /** The cursor is none that a list gave. */
  readonly reason: "malformed_cursor";
}

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/**
 * Lists the tokens of an owner, the newest first, those that hold and those that do not.
 *
 * Without texts and digests. A cursor is opaque and holds a position only: the
 * owner is applied again, so the cursor of another user shows nothing of that user's.
 *
 * @throws {RangeError} when `limit` is not a whole number from 1 to 100
 * @throws {StoreError} when the store fails
 */
export async function listTokens<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  { cursor, limit = DEFAULT_LIMIT }: ListOptions = {},
): Promise<Result<TokenList<Scope>, ListFailure>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`Cannot list tokens: limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  const after = cursor === undefined ? null : parseCursor(cursor);
  if (cursor !== undefined && after === null) return fail({ reason: "malformed_cursor" });
  const page = { limit: limit + 1, ...(after === null ? {} : { after }) };
  const found = await ask(
    auth.store.listTokens(owner, page),
    (answer) => readList(answer, owner, page),
  );
  const now = auth.now();
  const shown = found.slice(0, limit);
  const last = found.length > limit ? shown.at(-1) : undefined;
  return ok({
    tokens: shown.map((one) => listToken(auth, one, now)),
    next: last === undefined ? null : formatCursor(last.token),
  });
}

function listToken<Scope extends string>(
  auth: Auth<Scope>,
  found: OwnedToken,
  now: number,
): ListedToken<Scope> {
  const { revokedAt, revokedReason } = found.token;
  const status = STATUS[endOf(found, now) ?? "active"];
  return { ...viewToken(auth, toToken(found.token)), status, revokedAt, revokedReason };
}

const STATUS = {
  active: "active",
  revoked_token: "revoked",
  expired_token: "expired",
  idle_token: "idle",
  rotated_token: "rotated",
} as const;
