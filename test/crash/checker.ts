import { type Client, createClient } from "@libsql/client";
import {
  type Auth,
  type ListFailure,
  type ListOptions,
  listTokens,
  login,
  type Result,
  rotateToken,
  type Store,
  type TokenList,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import {
  type Account,
  apply,
  type HeldToken,
  type Operation,
  type OperationKind,
} from "./account.ts";
import { configure, TOKEN_LIMIT } from "./setup.ts";

/** An account as it was last acknowledged, and what was under way at the kill. */
export interface Interrupted {
  readonly account: Account;
  readonly pending: Operation | null;
}

/**
 * How an operation that was under way is found. `made room`: a login that gives a new reusable
 * token in place of one that was rotated had revoked that one, and nothing more.
 */
export type Outcome = "done" | "not done" | "no difference" | "made room";

/** What a look at the database told. */
export interface Finding {
  /** The accounts with what was under way decided. */
  readonly accounts: readonly Account[];
  readonly outcomes: readonly { readonly kind: OperationKind; readonly outcome: Outcome }[];
  /** What must not be, in sentences that hold no token text. */
  readonly losses: readonly string[];
}

/** A token that holds and that nobody acknowledged. */
interface Stranger {
  readonly id: string;
  readonly family: string;
  readonly predecessor: string | null;
  readonly hasSlot: boolean;
}

/** Looks at a database that killed processes left, through the library and a client of its own. */
export async function checkDatabase(
  url: string,
  interrupted: readonly Interrupted[],
  ended: readonly string[],
): Promise<Finding> {
  const client = createClient({ url, timeout: 5_000 });
  try {
    const store = libsqlStore(client, { migrate: false });
    const findings: Finding[] = [];
    for (const userId of new Set(interrupted.map(({ account }) => account.userId))) {
      const parts = interrupted.filter(({ account }) => account.userId === userId);
      findings.push(await checkUser({ client, store }, userId, parts));
    }
    return {
      accounts: findings.flatMap(({ accounts }) => accounts),
      outcomes: findings.flatMap(({ outcomes }) => outcomes),
      losses: [
        ...await checkTables(client),
        ...await checkEnded(configure(store, "new", null), ended),
        ...findings.flatMap(({ losses }) => losses),
      ],
    };
  } finally {
    client.close();
  }
}

/** What may never be in the tables, whoever wrote them. */
async function checkTables(client: Client): Promise<readonly string[]> {
  const integrity = (await client.execute("pragma integrity_check")).rows[0]?.[0];
  const rules = {
    "two tokens are in one slot": `select 1 from latchkey_token
where slot is not null group by owner, slot having count(*) > 1`,
    "a token has two successors": `select 1 from latchkey_token
where predecessor is not null group by predecessor having count(*) > 1`,
    "a user has more tokens than the limit": `select 1 from latchkey_token t
join latchkey_user u on u.id = t.owner and u.epoch = t.epoch
where t.revoked_at is null
and not exists (select 1 from latchkey_token s where s.predecessor = t.id)
group by t.owner having count(*) > ${TOKEN_LIMIT + 1}`,
  };
  const losses = integrity === "ok" ? [] : [`the file is damaged: ${integrity}`];
  for (const [loss, sql] of Object.entries(rules)) {
    if ((await client.execute(sql)).rows.length > 0) losses.push(loss);
  }
  return losses;
}

async function checkEnded(auth: Auth, ended: readonly string[]): Promise<readonly string[]> {
  const losses: string[] = [];
  for (const text of ended) {
    if ((await verifyToken(auth, text)).ok) losses.push("a token that was ended holds");
  }
  return losses;
}

async function checkUser(
  database: { readonly client: Client; readonly store: Store },
  userId: string,
  parts: readonly Interrupted[],
): Promise<Finding> {
  const auth = configure(database.store, "new", null);
  const live = await listLive(auth, userId);
  const known = new Set(parts.flatMap(({ account }) => account.tokens.map(({ id }) => id)));
  let strangers = await findStrangers(database.client, live.filter((id) => !known.has(id)));
  const losses: string[] = [];
  const accounts: Account[] = [];
  const outcomes: Finding["outcomes"][number][] = [];
  for (const { account, pending } of parts) {
    const seen = await observe(auth, account, pending, live);
    const states = listStates(account, pending, strangers);
    const fitting = states.filter((state) => fits(state.account, account, seen));
    const [found] = fitting;
    if (found === undefined) {
      losses.push(describe(account, pending, seen));
      accounts.push(account);
      continue;
    }
    if (pending !== null) {
      const outcome = fitting.length === 1 ? found.outcome : "no difference";
      outcomes.push({ kind: pending.kind, outcome });
    }
    strangers = strangers.filter((stranger) => stranger !== found.stranger);
    accounts.push(await recoverText(database.store, found, pending, losses));
  }
  if (strangers.length > 0) losses.push(`${strangers.length} tokens hold that nobody asked for`);
  const reusable = accounts.flatMap(({ tokens }) =>
    tokens.filter((token) => token.isReusable && token.successor === null).map(({ id }) => id)
  );
  if (new Set(reusable).size > 1) losses.push("a user has two reusable tokens");
  return { accounts, outcomes, losses };
}

/** The ids of the tokens that the list of a user shows as holding. */
async function listLive(auth: Auth, userId: string): Promise<readonly string[]> {
  const live: string[] = [];
  for (let options: ListOptions | null = { limit: 100 }; options !== null;) {
    const page: Result<TokenList, ListFailure> = await listTokens(auth, userId, options);
    if (!page.ok) throw new Error("Cannot list: the library refuses its own cursor");
    const { tokens, next }: TokenList = page.value;
    live.push(...tokens.filter(({ status }) => status === "active").map(({ id }) => id));
    options = next === null ? null : { limit: 100, cursor: next };
  }
  return live;
}

async function findStrangers(client: Client, ids: readonly string[]): Promise<Stranger[]> {
  const { rows } = await client.execute({
    sql: `select id, family, predecessor, slot from latchkey_token
where id in (select value from json_each(?))`,
    args: [JSON.stringify(ids)],
  });
  return rows.map((row) => ({
    id: String(row[0]),
    family: String(row[1]),
    predecessor: row[2] === null ? null : String(row[2]),
    hasSlot: row[3] !== null,
  }));
}

/** What the library shows of an account. */
interface Sight {
  readonly holding: ReadonlySet<string>;
  /** Which of the passwords that it may have are right. */
  readonly passwords: readonly string[];
  readonly isActive: boolean;
  /** Tokens that hold for a request and not in the list, or the other way round. */
  readonly disputed: number;
}

async function observe(
  auth: Auth,
  { userId, username, password, tokens }: Account,
  pending: Operation | null,
  live: readonly string[],
): Promise<Sight> {
  const holding = new Set<string>();
  let disputed = 0;
  for (const { id, text } of tokens) {
    const isListed = live.includes(id);
    // Nobody has the text of a token whose process was killed before it passed it on.
    const holds = text === null ? isListed : (await verifyToken(auth, text)).ok;
    if (holds) holding.add(id);
    if (holds !== isListed) disputed++;
  }
  const passwords: string[] = [];
  const next = pending !== null && "next" in pending ? pending.next : password;
  for (const tried of new Set([password, next])) {
    const verified = await verifyPassword(auth, { username, password: tried });
    if (verified.ok || verified.failure.reason === "inactive_user") passwords.push(tried);
  }
  const user = await auth.store.findUser(userId);
  return { holding, passwords, isActive: user?.isActive === true, disputed };
}

/** A state in which an account may be found. */
interface State {
  readonly account: Account;
  readonly outcome: Outcome;
  /** The token that the operation under way must have made. */
  readonly stranger: Stranger | null;
}

/** Every state that the operation under way may have left: wholly done, or wholly not. */
function listStates(
  account: Account,
  pending: Operation | null,
  strangers: readonly Stranger[],
): readonly State[] {
  const before: State = { account, outcome: "not done", stranger: null };
  if (pending === null) return [before];
  const made = (matches: (stranger: Stranger) => boolean): readonly State[] => {
    const stranger = strangers.find(matches);
    if (stranger === undefined) return [before];
    const reply = { id: stranger.id, family: stranger.family, text: null };
    return [{ account: apply(account, pending, reply), outcome: "done", stranger }];
  };
  switch (pending.kind) {
    case "login":
    case "issue":
      return made(({ predecessor, hasSlot }) => predecessor === null && !hasSlot);
    case "reusing login": {
      const shown = account.tokens.find(({ isReusable }) => isReusable);
      if (shown !== undefined && shown.successor === null) return [before, before];
      const states = made(({ hasSlot }) => hasSlot);
      if (shown === undefined || states[0] !== before) return states;
      const tokens = account.tokens.filter((token) => token !== shown);
      return [...states, { ...before, account: { ...account, tokens }, outcome: "made room" }];
    }
    case "rotate": {
      const old = account.tokens.find(({ id }) => id === pending.token);
      return old !== undefined && old.successor !== null
        ? [before, before]
        : made(({ predecessor }) => predecessor === pending.token);
    }
    case "use":
    case "revoke":
    case "logout":
    case "revoke others":
    case "change password":
    case "set password":
    case "revoke all":
    case "deactivate":
    case "activate":
      return [{ account: apply(account, pending, null), outcome: "done", stranger: null }, before];
  }
}

/** Whether the library shows exactly what a state says. */
function fits(state: Account, { tokens }: Account, seen: Sight): boolean {
  const held = new Set(state.tokens.map(({ id }) => id));
  return seen.disputed === 0 &&
    tokens.every(({ id }) => seen.holding.has(id) === held.has(id)) &&
    seen.passwords.length === 1 && seen.passwords[0] === state.password &&
    seen.isActive === state.isActive;
}

function describe(account: Account, pending: Operation | null, seen: Sight): string {
  const lost = account.tokens.filter(({ id }) => !seen.holding.has(id)).length;
  const password = seen.passwords.includes(account.password) ? "old" : "not the old";
  return `${account.key}: ${lost} of ${account.tokens.length} tokens do not hold, ` +
    `${seen.disputed} are disputed, ${password} password, ` +
    `${seen.isActive ? "active" : "inactive"} (was ${account.isActive ? "active" : "inactive"}), ` +
    `under way: ${pending?.kind ?? "nothing"}`;
}

/** Repeats what was under way, as its caller would, where that tells the text of the new token. */
async function recoverText(
  store: Store,
  { account, stranger }: State,
  pending: Operation | null,
  losses: string[],
): Promise<Account> {
  if (stranger === null || pending === null) return account;
  if (pending.kind === "reusing login") {
    const { username, password } = account;
    const auth = configure(store, "reuse", null);
    const repeated = await login(auth, { username, password });
    if (repeated.ok && repeated.value.token.id === stranger.id) {
      return tellText(account, stranger.id, repeated.value.text.reveal());
    }
    losses.push(`${account.key}: a login that is repeated gives another token`);
  }
  if (pending.kind === "rotate") {
    const old = account.tokens.find(({ id }) => id === pending.token)?.text ?? "";
    const repeated = await rotateToken(configure(store, "new", null), old);
    if (repeated.ok && repeated.value.token.id === stranger.id) {
      return tellText(account, stranger.id, repeated.value.text.reveal());
    }
    losses.push(`${account.key}: a rotation that is repeated gives another token`);
  }
  return account;
}

function tellText(account: Account, id: string, text: string): Account {
  const tell = (token: HeldToken) => (token.id === id ? { ...token, text } : token);
  return { ...account, tokens: account.tokens.map(tell) };
}
