import { makeToken } from "./record.ts";

/** The tables of version 1, before tokens had a life of their own, with rows in them. */
export const version1: readonly string[] = [
  `create table latchkey_user (
  id text primary key not null,
  username text not null,
  password text,
  is_active integer not null,
  is_staff integer not null,
  is_superuser integer not null,
  created_at integer not null,
  constraint latchkey_user_username unique (username)
)`,
  `create table latchkey_token (
  id text primary key not null,
  owner text not null,
  digest text not null,
  pepper text,
  scopes text not null,
  slot text,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  constraint latchkey_token_digest unique (digest),
  constraint latchkey_token_owner_slot unique (owner, slot),
  constraint latchkey_token_digest_length check (length(digest) = 64)
)`,
  "insert into latchkey_user values ('user-1', 'ada', '$sample$', 1, 0, 0, 1)",
  `insert into latchkey_token values
   ('token-1', 'user-1', '${makeToken().digest}', null, 'read write', 'login', 1, null, null),
   ('token-2', 'user-1', '${"b".repeat(64)}', 'p', '', null, 2, 9, 5)`,
];

/** The tables of version 2, before attempts were counted, with the same rows in them. */
export const version2: readonly string[] = [
  `create table latchkey_user (
  id text primary key not null,
  username text not null,
  password text,
  is_active integer not null,
  is_staff integer not null,
  is_superuser integer not null,
  created_at integer not null,
  epoch integer not null default 0,
  constraint latchkey_user_username unique (username)
)`,
  `create table latchkey_token (
  id text primary key not null,
  owner text not null,
  digest text not null,
  pepper text,
  scopes text not null,
  slot text,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  epoch integer not null default 0,
  name text not null default '',
  hint text not null default '',
  idle_timeout integer,
  last_used_at integer,
  revoked_reason text,
  family text not null default '',
  predecessor text,
  overlap_until integer,
  nonce text,
  constraint latchkey_token_digest unique (digest),
  constraint latchkey_token_owner_slot unique (owner, slot),
  constraint latchkey_token_digest_length check (length(digest) = 64)
)`,
  `create table latchkey_event (
  id integer primary key not null,
  at integer not null,
  type text not null,
  owner text,
  token text,
  detail text not null
)`,
  `create table latchkey_schema (
  id integer primary key not null,
  version integer not null,
  constraint latchkey_schema_one_row check (id = 1)
)`,
  `create unique index latchkey_token_predecessor
  on latchkey_token (predecessor)`,
  `create index latchkey_token_owner_created
  on latchkey_token (owner, created_at, id)`,
  `create index latchkey_token_family
  on latchkey_token (family)`,
  `create index latchkey_token_expires
  on latchkey_token (expires_at) where expires_at is not null`,
  `create index latchkey_token_revoked
  on latchkey_token (revoked_at) where revoked_at is not null`,
  `create index latchkey_token_overlap
  on latchkey_token (overlap_until) where overlap_until is not null`,
  `create index latchkey_token_idle
  on latchkey_token (max(created_at, coalesce(last_used_at, created_at)) + idle_timeout) where idle_timeout is not null`,
  `create index latchkey_event_at
  on latchkey_event (at)`,
  `create index latchkey_event_owner
  on latchkey_event (owner, at)`,
  "insert into latchkey_schema (id, version) values (1, 2)",
  "insert into latchkey_user values ('user-1', 'ada', '$sample$', 1, 0, 0, 1, 0)",
  `insert into latchkey_token
   (id, owner, digest, pepper, scopes, slot, created_at, expires_at, revoked_at, revoked_reason,
    family) values
   ('token-1', 'user-1', '${makeToken().digest}', null, 'read write', 'login', 1, null, null, null,
    'token-1'),
   ('token-2', 'user-1', '${"b".repeat(64)}', 'p', '', null, 2, 9, 5, 'revoked', 'token-2')`,
];
