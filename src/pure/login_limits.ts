import { type CheckedLimit, checkLimit, type Limit } from "./limit.ts";

/**
 * How many failed logins there may be. `null` switches one of them off.
 *
 * Attempts are counted in the store before the password is looked at, and given
 * back when it was right, so that parallel ones cannot slip through and honest
 * users of one address do not lock each other out. An attempt that is refused is
 * not counted. Tokens that were given before are never touched by any of this.
 */
export interface LoginLimits {
  /**
   * Per username, whoever is behind it: 50 an hour when absent, then 50 in two
   * hours and so on, up to a day. Case, outer spaces and Unicode forms make no
   * difference. An address from which the account has logged in within 30 days
   * has 10 attempts of its own beyond it, so nobody can lock a user out there.
   */
  readonly account?: Limit | null;
  /** Per client address: 20 in 10 minutes when absent, growing up to a day. Nothing is counted while the address is unknown. */
  readonly address?: Limit | null;
  /** For all logins together: 5,000 an hour when absent. Familiar addresses pass it, as above. */
  readonly global?: Limit | null;
}

/** Limits that were checked; `null` for those that are off. */
export interface CheckedLoginLimits {
  /** Per username. */
  readonly account: CheckedLimit | null;
  /** Per client address. */
  readonly address: CheckedLimit | null;
  /** For all together. */
  readonly global: CheckedLimit | null;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DEFAULTS: Required<LoginLimits> = {
  account: { max: 50, window: HOUR, longest: DAY },
  address: { max: 20, window: 10 * MINUTE, longest: DAY },
  global: { max: 5_000, window: HOUR },
};
/** Checks limits; `null` for none at all. */
export function checkLoginLimits(limits: LoginLimits | null = {}): CheckedLoginLimits | null {
  if (limits === null) return null;
  const check = (name: keyof LoginLimits) => {
    const limit = limits[name] === undefined ? DEFAULTS[name] : limits[name];
    return limit === null ? null : checkLimit(limit, `loginLimits.${name}`);
  };
  return { account: check("account"), address: check("address"), global: check("global") };
}
