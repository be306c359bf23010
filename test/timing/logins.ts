import { createHash } from "node:crypto";
import {
  type Auth,
  createUser,
  defineAuth,
  type Hasher,
  login,
  setActive,
  systemRandom,
} from "latchkey";
import { djangoLegacy } from "latchkey/django";
import { memoryStore } from "latchkey/memory";
import { must } from "../fixture.ts";
import type { Case } from "./measurement.ts";

const RIGHT = "seven herons above the mill";
const WRONG = "seven herons above the hill";

/** How the stored password of a user looks. */
interface Stored {
  readonly name: string;
  /** `null` for no password at all. */
  readonly encoded: string | null;
  readonly isActive: boolean;
}

/**
 * The logins whose times are compared, for one algorithm and a weaker variant of it.
 *
 * What takes as long as a wrong password of a current user is promised by
 * `verifyPassword`. A stored text of another cost takes another time until it is
 * rewritten; promised is only that a right password for it, which is rewritten,
 * and a wrong one do not differ.
 */
export async function prepareLogins(
  { hasher, weaker }: { readonly hasher: Hasher; readonly weaker: Hasher },
): Promise<readonly Case[]> {
  const store = memoryStore();
  const auth = defineAuth({
    store,
    passwords: [hasher, djangoLegacy()],
    passwordRules: [],
    loginLimits: null,
    storeTimeout: null,
  });
  const current = await hasher.hash(RIGHT, systemRandom);
  const weak = await weaker.hash(RIGHT, systemRandom);
  const legacy = `sha1$salt$${createHash("sha1").update(`salt${RIGHT}`).digest("hex")}`;
  const users: readonly Stored[] = [
    { name: "current", encoded: current, isActive: true },
    { name: "inactive", encoded: current, isActive: false },
    { name: "without", encoded: null, isActive: true },
    { name: "unusable", encoded: `!${"x".repeat(40)}`, isActive: true },
    { name: "garbage", encoded: "garbage", isActive: true },
    { name: "weak", encoded: weak, isActive: true },
    { name: "inactive-weak", encoded: weak, isActive: false },
    { name: "legacy", encoded: legacy, isActive: true },
    { name: "inactive-legacy", encoded: legacy, isActive: false },
  ];
  const ids = new Map<string, string>();
  for (const user of users) ids.set(user.name, await addUser(auth, user));
  const attempt = (username: string, password: string) => () => login(auth, { username, password });
  const rewrite = (name: string, encoded: string) => () =>
    store.replacePassword(ids.get(name) ?? "", encoded, { newEpoch: false });

  const base = "wrong password";
  const legacyWrong = "legacy SHA-1, wrong";
  const weakWrong = "weaker parameters, wrong";
  const wrong = { outcome: "wrong_password", run: attempt("current", WRONG) } as const;
  const promised = (name: string, outcome: string, run: Case["run"], like = base): Case => ({
    ...{ name, outcome, run, like },
    kind: "promised",
  });
  const told = (name: string, outcome: string, run: Case["run"]): Case => ({
    ...{ name, outcome, run, like: base },
    kind: "told",
  });
  return [
    { name: base, kind: "base", ...wrong },
    { name: `${base} once more`, kind: "control", like: base, ...wrong },
    { name: `${base} and again`, kind: "control", like: base, ...wrong },
    promised("unknown user", "unknown_user", attempt("nobody", WRONG)),
    promised("inactive, wrong", "wrong_password", attempt("inactive", WRONG)),
    promised("inactive, right", "inactive_user", attempt("inactive", RIGHT)),
    promised("without a password", "no_password", attempt("without", WRONG)),
    promised("Django's unusable !…", "no_password", attempt("unusable", WRONG)),
    promised("garbage stored", "no_password", attempt("garbage", WRONG)),
    told("right password", "ok", attempt("current", RIGHT)),
    told(legacyWrong, "wrong_password", attempt("legacy", WRONG)),
    promised(
      "inactive legacy, right",
      "inactive_user",
      attempt("inactive-legacy", RIGHT),
      legacyWrong,
    ),
    {
      ...promised("legacy, right, rewritten", "ok", attempt("legacy", RIGHT), legacyWrong),
      restore: rewrite("legacy", legacy),
    },
    told(weakWrong, "wrong_password", attempt("weak", WRONG)),
    promised("inactive weaker, right", "inactive_user", attempt("inactive-weak", RIGHT), weakWrong),
    {
      ...promised("weaker, right, rewritten", "ok", attempt("weak", RIGHT), weakWrong),
      restore: rewrite("weak", weak),
    },
  ];
}

/** Adds a user with a stored text as it is, and returns the id. */
async function addUser(auth: Auth, { name, encoded, isActive }: Stored): Promise<string> {
  const { id } = must(await createUser(auth, { username: name }));
  if (encoded !== null) await auth.store.replacePassword(id, encoded, { newEpoch: false });
  if (!isActive) await setActive(auth, id, false);
  return id;
}
