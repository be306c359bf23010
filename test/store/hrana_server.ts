import { createClient, type InValue, LibsqlError, type ResultSet } from "@libsql/client";
import { createServer, type IncomingMessage } from "node:http";
import * as v from "valibot";

/*
 * A real HTTP server that speaks Hrana 2 over HTTP as `@libsql/client` does
 * with a remote URL, with a real libSQL database behind it. It is there so that
 * the store meets the remote client, its encoding of values and its poorer
 * error codes (sqld tells the basic code only) over a real socket.
 *
 * It is no sqld: one stream for each request, no batons, no batches, no stored
 * SQL, no authorization, no limits, and no replication. What the store does not
 * use is answered with an error, so that a store that starts using it is noticed.
 */

/** A server that listens. */
export interface HranaServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a server for the database at `databaseUrl`, on a free port of this machine. */
export async function startHranaServer(databaseUrl: string): Promise<HranaServer> {
  const database = createClient({ url: databaseUrl, intMode: "bigint" });
  const server = createServer(async (request, response) => {
    // The client asks for version 3 first and takes version 2 when it is not there.
    if (request.method !== "POST" || request.url !== "/v2/pipeline") {
      response.writeHead(404).end();
      return;
    }
    try {
      const { requests } = v.parse(Pipeline, JSON.parse(await readBody(request)));
      const results = [];
      for (const item of requests) results.push(await answer(item));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ baton: null, base_url: null, results }));
    } catch {
      response.writeHead(400).end();
    }
  });

  async function answer(item: v.InferOutput<typeof Request>): Promise<unknown> {
    if (item.type === "close") return { type: "ok", response: { type: "close" } };
    if (item.stmt === undefined) {
      return { type: "error", error: { message: "Not supported here", code: "NOT_SUPPORTED" } };
    }
    try {
      const args = item.stmt.args.map(decodeValue);
      const result = encodeResult(await database.execute({ sql: item.stmt.sql, args }));
      return { type: "ok", response: { type: "execute", result } };
    } catch (error) {
      return { type: "error", error: encodeError(error) };
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot listen: no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        database.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const Value = v.variant("type", [
  v.object({ type: v.literal("null") }),
  v.object({ type: v.literal("integer"), value: v.string() }),
  v.object({ type: v.literal("float"), value: v.number() }),
  v.object({ type: v.literal("text"), value: v.string() }),
]);
const Request = v.object({
  type: v.string(),
  stmt: v.optional(v.object({ sql: v.string(), args: v.array(Value) })),
});
const Pipeline = v.object({ requests: v.array(Request) });

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function decodeValue(value: v.InferOutput<typeof Value>): InValue {
  if (value.type === "null") return null;
  return value.type === "integer" ? BigInt(value.value) : value.value;
}

function encodeValue(value: unknown): unknown {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: value.toString() };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  if (!(value instanceof ArrayBuffer)) throw new TypeError("Cannot encode a value");
  return { type: "blob", base64: Buffer.from(value).toString("base64") };
}

function encodeResult(result: ResultSet): unknown {
  return {
    cols: result.columns.map((name, index) => ({ name, decltype: result.columnTypes[index] })),
    rows: result.rows.map((row) => result.columns.map((_, index) => encodeValue(row[index]))),
    affected_row_count: result.rowsAffected,
    last_insert_rowid: result.lastInsertRowid?.toString() ?? null,
  };
}

function encodeError(error: unknown): unknown {
  if (!(error instanceof LibsqlError)) return { message: "Internal error", code: "INTERNAL" };
  const message = `SQLite error: ${error.message.replace(/^[A-Z_]+: /, "")}`;
  return { message, code: error.code === "SQLITE_ERROR" ? "SQLITE_UNKNOWN" : error.code };
}
