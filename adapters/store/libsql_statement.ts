import { attemptEnd, idleEnd } from "./libsql_schema.ts";

/** One statement: its text, and the names of its arguments in their order. */
export interface Statement {
  readonly sql: string;
  readonly names: readonly string[];
}

/** What an argument may be. */
export type Argument = string | number | null;

/** A statement with its arguments, as a connection takes it. */
export interface BoundStatement {
  sql: string;
  args: Argument[];
}

/** The columns of a token, in the order in which libsql_row.ts reads and writes them. */
const TOKEN = [
  "id",
  "owner",
  "epoch",
  "digest",
  "pepper",
  "name",
  "hint",
  "scopes",
  "slot",
  "created_at",
  "expires_at",
  "idle_timeout",
  "last_used_at",
  "revoked_at",
  "revoked_reason",
  "family",
  "predecessor",
  "overlap_until",
  "nonce",
];
const USER = ["id", "username", "is_active", "is_staff", "is_superuser", "epoch"];
const USER_RECORD = [...USER, "password", "created_at"];

const ATTEMPT = "key, count, ends_at";

/**
 * A token with its owner and its successor. No password, and no digest but the token's own.
 *
 * All columns in one, as JSON: a client defines two properties for each column of each row, which
 * costs more than the lookup.
 */
const OWNED_TOKEN = `select json_array(${list(TOKEN, "t.")}, ${
  list(USER, "u.")
}, s.id, s.overlap_until)
from latchkey_token t
left join latchkey_user u on u.id = t.owner
left join latchkey_token s on s.predecessor = t.id`;

/** Whether the token `t` is live at `:now`, as the port defines it. */
const IS_LIVE = `t.revoked_at is null
  and t.epoch = coalesce((select epoch from latchkey_user where id = t.owner), t.epoch)
  and (t.expires_at is null or t.expires_at > :now)
  and (t.idle_timeout is null or ${idleEnd("t.")} > :now)
  and not exists (select 1 from latchkey_token s where s.predecessor = t.id)`;

/** Whether the token `t` stopped holding at or before `:before`; each part has an index. */
const HAS_ENDED = `(t.revoked_at <= :before or t.expires_at <= :before
    or (t.idle_timeout is not null and ${idleEnd("t.")} <= :before)
    or t.id in (select predecessor from latchkey_token where overlap_until <= :before))`;

const TOKEN_VALUES = TOKEN.map((column) => `:${column}`).join(", ");
const OWNED_VALUES = TOKEN_VALUES.replace(
  ":epoch",
  "coalesce(:epoch, (select epoch from latchkey_user where id = :owner), 0)",
);
const INSERT_TOKEN = `insert into latchkey_token (${list(TOKEN)}) select ${OWNED_VALUES}`;
const REVOKE = `update latchkey_token
set revoked_at = :at, revoked_reason = :reason, slot = null where revoked_at is null`;
const NEXT_EPOCH = "epoch = epoch + :steps";

/** The limits of attempts in `:limits`, as rows. */
const LIMITS = `(
  select json_extract(value, '$[0]') as name, json_extract(value, '$[1]') as most,
    json_extract(value, '$[2]') as span, json_extract(value, '$[3]') as longest
  from json_each(:limits)
) as asked`;

/** The statements of a store, by verb and form. */
export type StatementName =
  | "insertToken"
  | "insertLimitedToken"
  | "ensureToken"
  | "rotateToken"
  | "listTokens"
  | "listMoreTokens"
  | "renameToken"
  | "revokeToken"
  | "revokeOwnToken"
  | "revokeTokens"
  | "revokeFamily"
  | "touchTokens"
  | "pruneTokens"
  | "insertUser"
  | "findUser"
  | "findUserByName"
  | "replacePassword"
  | "replaceExpectedPassword"
  | "setActive"
  | "startEpoch"
  | "deleteUser"
  | "takeAttempts"
  | "findAttempts"
  | "returnAttempts"
  | "pruneAttempts"
  | "appendEvents";

/** The statements of a store, each the whole of one verb. */
export const statements: Readonly<Record<StatementName, Statement>> = {
  insertToken: compile(`${INSERT_TOKEN} returning ${list(TOKEN)}`),
  insertLimitedToken: compile(`${INSERT_TOKEN}
where (select count(*) from latchkey_token t where t.owner = :owner and ${IS_LIVE}) < :max
returning ${list(TOKEN)}`),
  // The update changes nothing, but only an updated row is returned.
  ensureToken: compile(`${INSERT_TOKEN} where true
on conflict (owner, slot) do update set slot = excluded.slot
returning ${list(TOKEN)}, ${
    USER.map((column) => `(select ${column} from latchkey_user where id = latchkey_token.owner)`)
      .join(", ")
  }, ${
    ["id", "overlap_until"].map((column) =>
      `(select s.${column} from latchkey_token s where s.predecessor = latchkey_token.id)`
    ).join(", ")
  }`),
  rotateToken: compile(`insert into latchkey_token (${list(TOKEN)}) select ${TOKEN_VALUES}
from latchkey_token old where old.id = :predecessor and old.revoked_at is null
on conflict (predecessor) do update set predecessor = excluded.predecessor
returning ${list(TOKEN)}`),
  listTokens: compile(`${OWNED_TOKEN} where t.owner = :owner
order by t.created_at desc, t.id desc limit :limit`),
  listMoreTokens: compile(`${OWNED_TOKEN}
where t.owner = :owner and (t.created_at, t.id) < (:after_created_at, :after_id)
order by t.created_at desc, t.id desc limit :limit`),
  renameToken: compile(`update latchkey_token set name = :name
where id = :id and owner = :owner and revoked_at is null`),
  revokeToken: compile(`${REVOKE} and id = :id`),
  revokeOwnToken: compile(`${REVOKE} and id = :id and owner = :owner`),
  revokeTokens: compile(`${REVOKE} and owner = :owner and id is not :except`),
  // A program of the version before, still running during an upgrade, names no family.
  revokeFamily: compile(`${REVOKE} and (family = :family or (id = :family and family = ''))`),
  touchTokens: compile(`update latchkey_token set last_used_at = used.at
from (
  select json_extract(value, '$[0]') as id, max(json_extract(value, '$[1]')) as at
  from json_each(:uses) group by 1
) as used
where latchkey_token.id = used.id and revoked_at is null
  and (last_used_at is null or last_used_at < used.at)`),
  // A token goes only together with those it came from, or after them: without it, a predecessor
  // would look as if it had never been rotated, and hold again.
  pruneTokens: compile(`with recursive doomed (id, depth) as (
  select id, 0 from (
    select t.id from latchkey_token t where ${HAS_ENDED}
    and not exists (select 1 from latchkey_token p where p.id = t.predecessor) limit :limit
  )
  union all
  select t.id, depth + 1 from doomed join latchkey_token t on t.predecessor = doomed.id
  where ${HAS_ENDED}
  order by 2 limit :limit
)
delete from latchkey_token where id in (select id from doomed)`),
  insertUser: compile(`insert into latchkey_user (${list(USER_RECORD)})
values (${USER_RECORD.map((column) => `:${column}`).join(", ")})
on conflict (username) do nothing`),
  findUser: compile(`select ${list(USER_RECORD)} from latchkey_user where id = :id`),
  findUserByName: compile(
    `select ${list(USER_RECORD)} from latchkey_user where username = :username`,
  ),
  replacePassword: compile(
    `update latchkey_user set password = :password, ${NEXT_EPOCH} where id = :id`,
  ),
  // `is` and not `=`, so that an expected NULL equals a stored one.
  replaceExpectedPassword: compile(
    `update latchkey_user set password = :password, ${NEXT_EPOCH}
where id = :id and password is :expected`,
  ),
  setActive: compile(
    `update latchkey_user set is_active = :is_active, ${NEXT_EPOCH} where id = :id`,
  ),
  startEpoch: compile(`update latchkey_user set epoch = epoch + 1 where id = :id`),
  deleteUser: compile(`delete from latchkey_user where id = :id`),
  // SQLite evaluates the whole select before the first row is written, because it reads the table
  // that is written to; so a limit counts only when none of them is exhausted.
  takeAttempts: compile(`insert into latchkey_attempt (key, count, ends_at, length)
select name, 1, :now + length, length from (
  select name, coalesce(
    (select min(2 * old.length, longest) from latchkey_attempt old
     where old.key = name and old.count >= most and :now < ${attemptEnd("old.")}), span
  ) as length from ${LIMITS}
)
where not exists (
  select 1 from ${LIMITS}
  left join latchkey_attempt old on old.key = name and old.ends_at > :now
  where coalesce(old.count, 0) >= most
)
on conflict (key) do update set
  count = case when ends_at > :now then count + 1 else 1 end,
  ends_at = case when ends_at > :now then ends_at else excluded.ends_at end,
  length = case when ends_at > :now then length else excluded.length end
returning ${ATTEMPT}`),
  findAttempts: compile(`select ${ATTEMPT} from latchkey_attempt
where key in (select value from json_each(:keys)) and ends_at > :now`),
  returnAttempts: compile(`update latchkey_attempt set count = max(0, count - returned.times)
from (
  select json_extract(value, '$[0]') as name, json_extract(value, '$[1]') as ending, count(*) as times
  from json_each(:windows) group by 1, 2
) as returned
where latchkey_attempt.key = returned.name and ends_at = returned.ending`),
  pruneAttempts: compile(`delete from latchkey_attempt where key in (
  select key from latchkey_attempt where ${attemptEnd()} <= :before limit :limit
)`),
  appendEvents: compile(`insert into latchkey_event (at, type, owner, token, detail)
select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]'), json_extract(value, '$[4]')
from json_each(:events) order by key`),
};

/** The text that finds one of `count` digests; its arguments are the digests. */
export function findTokenSql(count: number): string {
  const known = findTokenSqls.get(count);
  if (known !== undefined) return known;
  const digests = Array.from({ length: count }, () => "?").join(", ");
  const sql = `${OWNED_TOKEN} where t.digest in (${digests})`;
  findTokenSqls.set(count, sql);
  return sql;
}

// Every verification asks for it, always with as many digests as there are peppers.
const findTokenSqls = new Map<number, string>();

/** Puts a statement's arguments into their order. */
export function bind(
  statement: Statement,
  values: Readonly<Record<string, Argument>>,
): BoundStatement {
  return {
    sql: statement.sql,
    args: statement.names.map((name) => {
      const value = values[name];
      if (value === undefined) throw new TypeError(`Cannot bind a statement: no ${name}`);
      return value;
    }),
  };
}

/** Numbers the arguments in `sql`, which stand as `:name`. A client takes them by position only. */
function compile(sql: string): Statement {
  const names: string[] = [];
  const text = sql.replace(/:([a-z_]+)/g, (_, name: string) => {
    names.push(name);
    return "?";
  });
  return { sql: text, names };
}

function list(columns: readonly string[], prefix = ""): string {
  return columns.map((column) => `${prefix}${column}`).join(", ");
}
