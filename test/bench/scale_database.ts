import { createClient } from "@libsql/client";
import { sha256 } from "@oslojs/crypto/sha2";
import { encodeHexLowerCase } from "@oslojs/encoding";
import { prefixedFormat } from "latchkey";
import { schemaStatements } from "latchkey/libsql";

/** How many tokens of a database have a text that is known. */
export function countSamples(size: number): number {
  return Math.min(10_000, size / PER_USER);
}

/** How many tokens each user has. */
export const PER_USER = 10;
/** Which part of the tokens ended long ago. */
export const ENDED_SHARE = 0.1;

const format = prefixedFormat();
const encoder = new TextEncoder();
const DAY = 24 * 60 * 60 * 1_000;

/** The text of a token of every database here, from 0 up to their count. */
export function sampleText(index: number): string {
  return format.encode(sha256(encoder.encode(`sample ${index}`)));
}

/** The id of a user of a database here. */
export function userId(index: number): string {
  return `u${String(index).padStart(21, "0")}`;
}

/**
 * Fills a new file with that many tokens, a tenth of which ended long ago.
 *
 * All but the samples are made by SQL, in the order of their keys, and the
 * indexes behind them: so ten million take minutes and not hours. The samples
 * lie evenly among them, so that looking them up touches the whole file.
 */
export async function fillDatabase(path: string, size: number): Promise<void> {
  const client = createClient({ url: `file:${path}` });
  for (
    const pragma of [
      "journal_mode = off",
      "synchronous = off",
      "cache_size = -200000",
    ]
  ) {
    await client.execute(`pragma ${pragma}`);
  }
  const isTable = (sql: string) => sql.startsWith("create table");
  for (const sql of schemaStatements.filter(isTable)) await client.execute(sql);
  const now = Date.now();
  const samples = countSamples(size);
  const others = size - samples;
  const users = size / PER_USER;
  await client.execute({
    sql: `insert into latchkey_user (id, username, is_active, is_staff, is_superuser, created_at)
with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ?)
select printf('u%021d', i), 'user' || i, 1, 0, 0, ? from n`,
    args: [users, now],
  });
  await client.execute({
    sql: `insert into latchkey_token
  (id, owner, digest, hint, scopes, created_at, expires_at, family)
with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ?)
select printf('t%021d', i), printf('u%021d', i * ? / ?),
  printf('%014x', i * ?) || lower(hex(randomblob(25))), 'lk_xxxx', '', ? + i,
  iif(i % ${1 / ENDED_SHARE} = 0, ?, ?), printf('t%021d', i)
from n`,
    args: [
      others,
      users,
      others,
      Math.floor(2 ** 56 / size),
      now - 400 * DAY,
      now - 200 * DAY,
      now + 30 * DAY,
    ],
  });
  await client.execute({
    sql: `insert into latchkey_token
  (id, owner, digest, hint, scopes, created_at, expires_at, family)
select 's' || key, printf('u%021d', (key * ?) / ${PER_USER}), value, 'lk_xxxx', '', ?, ?, 's' || key
from json_each(?) order by value`,
    args: [
      size / samples,
      now,
      now + 30 * DAY,
      JSON.stringify(listDigests(samples)),
    ],
  });
  for (const sql of schemaStatements.filter((sql) => !isTable(sql))) {
    await client.execute(sql);
  }
  await client.execute("pragma journal_mode = wal");
  client.close();
}

function listDigests(samples: number): readonly string[] {
  return Array.from(
    { length: samples },
    (_, index) => encodeHexLowerCase(sha256(encoder.encode(sampleText(index)))),
  );
}
