import { withDeadline } from "../data/deadline.ts";
import { encodeUtf8 } from "../data/encoding.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Denial } from "../ports/dialect.ts";
import { parseForm } from "./form.ts";
import { parseMultipart } from "./multipart.ts";

/**
 * What an endpoint reads of a request. A `Request` of the Web platform is one;
 * so is what a framework without `Request` passes.
 */
export interface EndpointRequest {
  /** Upper-case. */
  readonly method: string;
  /** A whole URL, or a path with its query. */
  readonly url: string;
  /** The headers, by name without regard to case; several lines of one joined by `", "`. */
  readonly headers: { get(name: string): string | null };
  /** The address of the socket's other end; absent or `null` when the platform does not tell. */
  readonly address?: string | null;
  /** What a platform that may end with the answer, such as a Worker, is told to wait for. */
  readonly waitUntil?: (work: Promise<void>) => void;
  /** The bytes of the body, or `null` for none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether something else has consumed the body before. */
  readonly bodyUsed: boolean;
  /** What a body parser of the framework made of the body, when one has consumed it. */
  readonly parsed?: unknown;
}

/** Why a body could not be read. */
export type BodyFailure = Extract<
  Denial,
  {
    readonly reason:
      | "body_too_large"
      | "body_timeout"
      | "incomplete_body"
      | "malformed_body"
      | "unsupported_media_type";
  }
>;

/** The largest body that is read unless another limit is given: 64 KiB. */
export const MAX_BODY = 65_536;

/** How long a body may take to arrive unless another time is given: 30 seconds, in milliseconds. */
export const BODY_TIMEOUT = 30_000;

/**
 * Reads a body of JSON, a form or multipart, as Django REST framework does.
 *
 * An empty body of any type is an empty object. Of a repeated key the last
 * wins. A `charset` parameter is honoured, an unknown one counts as UTF-8. A
 * body above `limit` bytes is refused as soon as that is known, and not
 * buffered; one that is not whole after `timeout` milliseconds is refused then,
 * one that breaks off at once. What is refused is read no further. Content
 * encodings such as gzip are not undone. A form of more than 1,000 fields is refused.
 *
 * @throws {TypeError} when something else has consumed the body before
 */
export async function readBody(
  request: EndpointRequest,
  limit: number = MAX_BODY,
  timeout: number = BODY_TIMEOUT,
): Promise<Result<unknown, BodyFailure>> {
  const { parsed } = request;
  if (parsed !== undefined && typeof parsed !== "string" && !(parsed instanceof Uint8Array)) {
    return ok(parsed);
  }
  const received = parsed === undefined
    ? await receiveBytes(request, limit, timeout)
    : checkSize(toBytes(parsed), limit);
  if (!received.ok) return received;
  if (received.value.length === 0) return ok({});
  return parseBody(received.value, request.headers.get("content-type") ?? "");
}

function toBytes(parsed: string | Uint8Array): Uint8Array {
  return typeof parsed === "string" ? encodeUtf8(parsed) : parsed;
}

function checkSize(bytes: Uint8Array, limit: number): Result<Uint8Array, BodyFailure> {
  return bytes.length > limit ? fail({ reason: "body_too_large", limit }) : ok(bytes);
}

async function receiveBytes(
  { headers, body, bodyUsed }: EndpointRequest,
  limit: number,
  timeout: number,
): Promise<Result<Uint8Array, BodyFailure>> {
  if (bodyUsed) {
    throw new TypeError(
      "Cannot read the body: it was consumed before, mount the endpoint ahead of what reads bodies",
    );
  }
  if (body === null) return ok(new Uint8Array());
  if (Number(headers.get("content-length")) > limit) {
    return fail({ reason: "body_too_large", limit });
  }
  const reader = body.getReader();
  const received = await withDeadline(
    collectBytes(reader, limit),
    timeout,
    () => fail<BodyFailure>({ reason: "body_timeout" }),
  );
  // Not waited for: a stream may take until the next bytes arrive to be cancelled.
  if (!received.ok) reader.cancel().catch(() => {});
  return received;
}

/** All bytes of a stream, unless they are more than `limit` or the client hangs up. */
async function collectBytes(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: number,
): Promise<Result<Uint8Array, BodyFailure>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > limit) return fail({ reason: "body_too_large", limit });
      chunks.push(next.value);
    }
  } catch {
    return fail({ reason: "incomplete_body" });
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return ok(bytes);
}

function parseBody(bytes: Uint8Array, contentType: string): Result<unknown, BodyFailure> {
  const [mediaType = ""] = contentType.split(";", 1);
  switch (mediaType.trim().toLowerCase()) {
    case "application/json":
      return parseJson(bytes, contentType);
    case "application/x-www-form-urlencoded":
      return readFields("form", parseForm(bytes, makeDecoder(contentType, false)));
    case "multipart/form-data":
      return readMultipart(bytes, contentType);
    default:
      return fail({ reason: "unsupported_media_type", mediaType: contentType });
  }
}

/** The parser's own message is left out: it quotes the body, and with it a password. */
function parseJson(bytes: Uint8Array, contentType: string): Result<unknown, BodyFailure> {
  try {
    return ok(JSON.parse(makeDecoder(contentType, true).decode(bytes)));
  } catch {
    return fail({ reason: "malformed_body", kind: "JSON" });
  }
}

function readMultipart(bytes: Uint8Array, contentType: string): Result<unknown, BodyFailure> {
  const boundary = readParameter(contentType, "boundary") ?? "";
  const decoder = makeDecoder(contentType, false);
  return readFields(
    "multipart",
    boundary === "" ? null : parseMultipart(bytes, boundary, decoder),
  );
}

function readFields(
  kind: "form" | "multipart",
  fields: object | null,
): Result<unknown, BodyFailure> {
  return fields === null ? fail({ reason: "malformed_body", kind }) : ok(fields);
}

/** A byte order mark of UTF-8 is kept, so that JSON refuses it. An unknown charset counts as UTF-8. */
function makeDecoder(contentType: string, fatal: boolean): TextDecoder {
  const charset = readParameter(contentType, "charset")?.toLowerCase() ?? "utf-8";
  const label = PYTHON_LABELS.get(charset) ?? charset;
  return findDecoder(label, fatal) ?? new TextDecoder("utf-8", { fatal, ignoreBOM: true });
}

function findDecoder(label: string, fatal: boolean): TextDecoder | null {
  try {
    const decoder = new TextDecoder(label, { fatal });
    return decoder.encoding === "utf-8" ? null : decoder;
  } catch {
    return null;
  }
}

/** Names of charsets that Python knows and the Encoding Standard does not. */
const PYTHON_LABELS: ReadonlyMap<string, string> = new Map([
  ["latin-1", "latin1"],
  ["utf-16-le", "utf-16le"],
  ["utf-16-be", "utf-16be"],
]);

/** A parameter of a media type (RFC 9110 §5.6.6), unquoted; `null` when absent. */
function readParameter(contentType: string, name: string): string | null {
  for (const parameter of contentType.split(";").slice(1)) {
    const [key = "", value] = parameter.split("=", 2);
    if (key.trim().toLowerCase() === name && value !== undefined) {
      return value.trim().replace(/^"(.*)"$/, "$1");
    }
  }
  return null;
}
