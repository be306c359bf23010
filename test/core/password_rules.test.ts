import {
  type Auth,
  changePassword,
  createUser,
  defineAuth,
  type PasswordRule,
  setPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { must } from "../fixture.ts";

const GOOD = "seven herons above the mill";

function configure(passwordRules?: readonly PasswordRule[]): Auth {
  return defineAuth({
    store: memoryStore(),
    passwords: [pbkdf2({ iterations: 1_000 })],
    ...(passwordRules === undefined ? {} : { passwordRules }),
  });
}

/** Every way in which a new password arrives. */
const ways: readonly (readonly [string, (auth: Auth, password: string) => Promise<unknown>])[] = [
  ["createUser()", (auth, password) => createUser(auth, { username: "grace", password })],
  ["setPassword()", async (auth, password) => {
    const { id } = must(await createUser(auth, { username: "grace", password: GOOD }));
    return await setPassword(auth, id, password);
  }],
  ["changePassword()", async (auth, password) => {
    const { id } = must(await createUser(auth, { username: "grace", password: GOOD }));
    return await changePassword(auth, id, { current: GOOD, next: password });
  }],
];

describe.each(ways)("a new password in %s", (_name, attempt) => {
  it.each([
    ["has fewer than 15 characters", "seven herons", "password_too_short"],
    ["is little more than the username", "Grace-Grace-2026", "password_too_similar"],
    ["repeats itself", "aaaaaaaaaaaaaaaaaaaa", "password_too_repetitive"],
  ])("is refused by default when it %s (P4)", async (_why, password, code) => {
    const result = await attempt(configure(), password);
    expect(result).toMatchObject({ ok: false, failure: { reason: "password_refused" } });
    expect(JSON.stringify(result)).toContain(`"${code}"`);
    expect(JSON.stringify(result)).not.toContain(password);
  });

  it("is taken by default when it is long, whatever characters it has (P4)", async () => {
    expect(await attempt(configure(), "nothing but lower case")).toMatchObject({ ok: true });
  });

  it("is asked of the rules of the application, with the username, and all of them are told", async () => {
    const seen: string[] = [];
    const rule = (code: string): PasswordRule => async (password, { username }) => {
      seen.push(username);
      return password.includes("x") ? { code, message: `No ${code}.` } : null;
    };
    expect(await attempt(configure([rule("one"), rule("two")]), "x")).toEqual({
      ok: false,
      failure: {
        reason: "password_refused",
        problems: [{ code: "one", message: "No one." }, { code: "two", message: "No two." }],
      },
    });
    expect(new Set(seen)).toEqual(new Set(["grace"]));
  });

  it("may be anything that can be hashed where there are no rules", async () => {
    expect(await attempt(configure([]), "1")).toMatchObject({ ok: true });
  });
});
