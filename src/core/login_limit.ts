import { fail, ok, type Result } from "../data/result.ts";
import type { AttemptWindow } from "../ports/store.ts";
import type { CheckedLimit, Throttled } from "../pure/limit.ts";
import { normalizeAccount } from "../pure/user.ts";
import {
  attemptKey,
  findAttempts,
  findThrottled,
  takeAttempts,
  toAttemptLimits,
} from "./attempt.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";

/** What an attempt was counted in. */
interface LoginAttempt {
  readonly windows: readonly AttemptWindow[];
  /** What says that this address is familiar to this account, the newest first; none when the address is unknown. */
  readonly familiar: readonly string[];
}

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
/** How much of a username counts: no user has a longer one, and 64 KiB of it would cost milliseconds to normalise and digest. */
const LONGEST_NAME = 1_024;
/** How many attempts a familiar address has beyond the limits that others may have exhausted. */
const FAMILIAR: CheckedLimit = { max: 10, window: HOUR, longest: DAY };
/** For how long an address is familiar after a login, at least. */
const FAMILIARITY = 30 * DAY;
/** What notes the logins of one such time: a window begins with the first, so it lasts for the last as well. */
const NOTE: CheckedLimit = {
  max: Number.MAX_SAFE_INTEGER,
  window: 2 * FAMILIARITY,
  longest: 2 * FAMILIARITY,
};

/** Who tries to log in, and from where; `null` for an unknown address. */
export interface LoginSource {
  readonly username: string;
  readonly address: string | null;
}

/** Looks at a password where the limits allow another attempt. One that succeeds, or that could not be decided, counts for nothing. */
export async function limitLogin<Scope extends string, Value, Failure>(
  auth: Auth<Scope>,
  source: LoginSource,
  verify: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure | Throttled>> {
  const taken = await takeLoginAttempt(auth, source);
  if (!taken.ok) {
    emit(auth, { type: "login_refused", at: auth.now(), owner: null, reason: "throttled" });
    return taken;
  }
  const verified = await verify().catch(async (error) => {
    await returnLoginAttempt(auth, taken.value).catch(() => undefined);
    throw error;
  });
  if (verified.ok) await settleLoginAttempt(auth, taken.value);
  return verified;
}

async function takeLoginAttempt<Scope extends string>(
  auth: Auth<Scope>,
  { username, address }: LoginSource,
): Promise<Result<LoginAttempt, Throttled>> {
  const { loginLimits } = auth;
  if (loginLimits === null) return ok({ windows: [], familiar: [] });
  const account = normalizeAccount(username.slice(0, LONGEST_NAME));
  const own = address === null
    ? []
    : toAttemptLimits(auth, loginLimits.address, "address", address);
  const all = [
    ...own,
    ...toAttemptLimits(auth, loginLimits.account, "account", account),
    ...toAttemptLimits(auth, loginLimits.global, "login"),
  ];
  const familiar = address === null ? [] : familiarKeys(auth, account, address);
  if (all.length === 0) return ok({ windows: [], familiar });
  const windows = await takeAttempts(auth, all);
  if (windows !== null) return ok({ windows, familiar });
  const throttled = await findThrottled(auth, all);
  if (familiar.length === 0) return fail(throttled);
  if ((await findAttempts(auth, familiar, auth.now())).length === 0) return fail(throttled);
  const spare = [...own, ...toAttemptLimits(auth, FAMILIAR, "spare", account, address)];
  const taken = await takeAttempts(auth, spare);
  if (taken !== null) return ok({ windows: taken, familiar });
  // Whichever of the two ways is free first will do.
  const other = await findThrottled(auth, spare);
  return fail(other.retryAfter < throttled.retryAfter ? other : throttled);
}

/** One key for the logins of this period, and one for those of the last. */
function familiarKeys<Scope extends string>(
  auth: Auth<Scope>,
  account: string,
  address: string,
): readonly string[] {
  const period = Math.floor(auth.now() / FAMILIARITY);
  return [period, period - 1].map((one) =>
    attemptKey(auth, "familiar", account, address, String(one))
  );
}

/** Gives an attempt back that counts for nothing in the end. */
async function returnLoginAttempt<Scope extends string>(
  { store }: Auth<Scope>,
  { windows }: LoginAttempt,
): Promise<void> {
  if (windows.length > 0) await store.returnAttempts(windows);
}

/** Notes that an attempt succeeded: it does not count, and its address is familiar from now on. */
async function settleLoginAttempt<Scope extends string>(
  auth: Auth<Scope>,
  attempt: LoginAttempt,
): Promise<void> {
  const [familiar] = attempt.familiar;
  await Promise.all([
    returnLoginAttempt(auth, attempt),
    familiar === undefined ? null : noteFamiliar(auth, familiar),
  ]);
}

/** Writes only what is not known yet: most logins come from where others came from. */
async function noteFamiliar<Scope extends string>(auth: Auth<Scope>, key: string): Promise<void> {
  const noted = await findAttempts(auth, [key], auth.now());
  if (noted.length === 0) await takeAttempts(auth, [{ key, ...NOTE }]);
}
