import type { Client } from "@libsql/client";
import type { AuthEvent, AuthEventType } from "../../src/pure/event.ts";

/** The types of events without an owner or without a token: their columns mean nothing there. */
const WITHOUT_OWNER: readonly AuthEventType[] = ["tokens_pruned"];
const WITHOUT_TOKEN: readonly AuthEventType[] = [
  "login_refused",
  "tokens_revoked",
  "tokens_pruned",
];

/** Reads the events in a libSQL database, in their order, as they were appended. */
export async function readLibsqlEvents(client: Client): Promise<readonly AuthEvent[]> {
  const tables = await client.execute(
    "select 1 from sqlite_master where name = 'latchkey_event'",
  );
  if (tables.rows.length === 0) return [];
  const { rows } = await client.execute(
    "select at, type, owner, token, detail from latchkey_event order by id",
  );
  return rows.map((row) => {
    const detail: unknown = JSON.parse(String(row["detail"]));
    const type = row["type"];
    const event: Record<string, unknown> = { type, at: row["at"], ...Object(detail) };
    if (!WITHOUT_OWNER.some((other) => other === type)) event["owner"] = row["owner"];
    if (!WITHOUT_TOKEN.some((other) => other === type)) event["token"] = row["token"];
    if (!isEvent(event)) throw new Error("Cannot read an event");
    return event;
  });
}

/** The laws compare every field; here it is enough that it may be one. */
function isEvent(value: Record<string, unknown>): value is AuthEvent & Record<string, unknown> {
  return typeof value["type"] === "string" && typeof value["at"] === "number";
}
