/** What each option is that is called or looked into later. */
const KINDS: readonly (readonly [name: string, what: string, fits: (value: unknown) => boolean])[] =
  [
    ["passwords", "a list of hashers", (value) => isListOf(value, (one) => can(one, "verify"))],
    ["formats", "a list of formats", (value) => isListOf(value, (one) => can(one, "accepts"))],
    ["passwordRules", "a list of rules", (value) => isListOf(value, isFunction)],
    ["scopes", "a list", Array.isArray],
    ["dialect", "a dialect such as drf()", (value) => can(value, "deny")],
    ["cache", "a verificationCache()", (value) => can(value, "attach")],
    ["findUser", "a function", isFunction],
    ["onEvent", "a function", isFunction],
    ["now", "a function", isFunction],
    ["random", "a function", isFunction],
    ["hashing", "an object", isObject],
    ["loginLimits", "an object or null", (value) => value === null || isObject(value)],
    ["revokeOn", "an object of true or false", isFlags],
  ];

/**
 * Looks at the options of `defineAuth`, so that none of them fails at the first request.
 *
 * @throws {TypeError} when one is of another kind
 */
export function checkKinds(options: object): void {
  for (const [name, what, fits] of KINDS) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined && !fits(value)) {
      throw new TypeError(`Cannot use this ${name}: expected ${what}`);
    }
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function can(value: unknown, verb: string): boolean {
  return isObject(value) && isFunction(Reflect.get(value, verb));
}

function isListOf(value: unknown, fits: (member: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isFlags(value: unknown): boolean {
  return isObject(value) &&
    Object.values(value).every((flag) => flag === undefined || typeof flag === "boolean");
}
