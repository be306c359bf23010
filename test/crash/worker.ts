/**
 * A process that works on accounts until it is killed: several writers at once,
 * each on accounts of its own. Reads an {@link Assignment} from its input and
 * writes one line before each operation and one after its answer.
 */
import { createClient } from "@libsql/client";
import {
  changePassword,
  type IssuedToken,
  issueToken,
  login,
  logout,
  type Principal,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  verifyToken,
} from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import { writeSync } from "node:fs";
import { text as readText } from "node:stream/consumers";
import process from "node:process";
import {
  type Account,
  apply,
  type Assignment,
  type HeldToken,
  type Line,
  type Operation,
  type Reply,
} from "./account.ts";
import { faults } from "./faults.ts";
import { configure, type Numbers, seedNumbers } from "./setup.ts";

const DICE = [
  "login",
  "issue",
  "issue",
  "issue",
  "reusing login",
  "reusing login",
  "rotate",
  "rotate",
  "rotate",
  "use",
  "use",
  "revoke",
  "revoke",
  "logout",
  "revoke others",
  "revoke all",
  "change password",
  "set password",
  "deactivate",
] as const;

/** Of a shared user only what leaves the tokens of the other writers alone. */
const SHARED_DICE = [
  "login",
  "issue",
  "issue",
  "reusing login",
  "rotate",
  "use",
  "revoke",
] as const;

const assignment: Assignment = JSON.parse(await readText(process.stdin));
const client = createClient({ url: assignment.url, timeout: assignment.timeout });
const fault = faults[assignment.fault];
if (fault === undefined) throw new RangeError(`Cannot work with the fault ${assignment.fault}`);
const store = fault(libsqlStore(client, { busyTimeout: 30_000, migrate: false }));
const fresh = configure(store, "new", 1);
const reusing = configure(store, "reuse", 1);

await Promise.all(assignment.writers.map((accounts, index) => work(accounts, index)));

async function work(assigned: readonly Account[], index: number): Promise<never> {
  const numbers = seedNumbers(assignment.seed + index);
  const accounts = [...assigned];
  for (;;) {
    // The first account is the writer's own, and gets most of the work.
    const place = numbers(4) === 0 ? accounts.length - 1 : 0;
    const account = accounts[place];
    if (account === undefined) throw new RangeError("Cannot work without an account");
    const operation = choose(account, numbers);
    send({ key: account.key, begins: operation });
    const answered = await perform(account, operation);
    send({ key: account.key, answered });
    accounts[place] = apply(account, operation, answered);
  }
}

/** Writes at once, so that the line outlives the process. */
function send(line: Line): void {
  let bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

function choose(account: Account, numbers: Numbers): Operation {
  if (!account.isActive) return { kind: "activate" };
  const dice = account.isShared ? SHARED_DICE : DICE;
  const kind = dice[numbers(dice.length)] ?? "login";
  switch (kind) {
    case "login":
    case "issue":
    case "reusing login":
    case "revoke all":
    case "deactivate":
      return { kind };
    case "change password":
    case "set password":
      return { kind, next: `password ${numbers(1_000_000)}` };
    case "revoke": {
      const tokens = ownTokens(account);
      const token = tokens[numbers(tokens.length)];
      return token === undefined ? { kind: "login" } : { kind, token: token.id };
    }
    case "rotate":
    case "use":
    case "logout":
    case "revoke others": {
      const known = ownTokens(account).filter(({ text }) => text !== null);
      const tokens = kind === "rotate"
        ? known.filter((token) => isRotatable(account, token))
        : known;
      const token = tokens[numbers(tokens.length)];
      return token === undefined ? { kind: "login" } : { kind, token: token.id };
    }
  }
}

/** The reusable token of a shared user belongs to all of its writers. */
function ownTokens({ isShared, tokens }: Account): readonly HeldToken[] {
  return isShared ? tokens.filter(({ isReusable }) => !isReusable) : tokens;
}

/** Whether a token with this successor can be rotated: not again once the successor is revoked. */
function isRotatable({ tokens }: Account, { successor }: HeldToken): boolean {
  return successor === null || tokens.some(({ id }) => id === successor);
}

async function perform(account: Account, operation: Operation): Promise<Reply> {
  const { userId, username, password } = account;
  switch (operation.kind) {
    case "login":
    case "reusing login": {
      const auth = operation.kind === "login" ? fresh : reusing;
      const result = await login(auth, { username, password });
      if (result.ok) return answer(result.value);
      if (result.failure.reason === "token_limit") return null;
      throw new Error(`Cannot log in: ${result.failure.reason}`);
    }
    case "issue": {
      const result = await issueToken(fresh, userId);
      return result.ok ? answer(result.value) : null;
    }
    case "rotate": {
      const result = await rotateToken(fresh, textOf(account, operation.token));
      if (!result.ok) throw new Error(`Cannot rotate: ${result.failure.reason}`);
      return answer(result.value);
    }
    case "use":
      await authenticate(account, operation.token);
      return null;
    case "revoke":
      if (!await revokeToken(fresh, operation.token, { owner: userId })) {
        throw new Error("Cannot revoke a token that holds");
      }
      return null;
    case "logout":
      await logout(fresh, await authenticate(account, operation.token));
      return null;
    case "revoke others":
      await revokeOtherTokens(fresh, await authenticate(account, operation.token));
      return null;
    case "revoke all":
      await revokeAllTokens(fresh, userId);
      return null;
    case "change password": {
      const { next } = operation;
      const result = await changePassword(fresh, userId, { current: password, next });
      if (!result.ok) throw new Error(`Cannot change a password: ${result.failure.reason}`);
      return null;
    }
    case "set password": {
      const result = await setPassword(fresh, userId, operation.next);
      if (!result.ok) throw new Error(`Cannot set a password: ${result.failure.reason}`);
      return null;
    }
    case "deactivate":
    case "activate":
      if (!await setActive(fresh, userId, operation.kind === "activate")) {
        throw new Error("Cannot find a user");
      }
      return null;
  }
}

function answer({ token: { id, family }, text }: IssuedToken): Reply {
  return { id, family, text: text.reveal() };
}

async function authenticate(account: Account, id: string): Promise<Principal> {
  const result = await verifyToken(fresh, textOf(account, id));
  if (!result.ok) throw new Error(`Cannot use a token: ${result.failure.reason}`);
  return result.value;
}

function textOf(account: Account, id: string): string {
  const text = account.tokens.find((token) => token.id === id)?.text ?? null;
  if (text === null) throw new Error("Cannot find the text of a token");
  return text;
}
