import type * as v from "valibot";
import type { EndpointRequest } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";

/** One endpoint of the self-service, with all that a description of it needs. */
export interface Route {
  /** Its name among the endpoints, such as `listTokens`. */
  readonly name: string;
  /** Its one method. */
  readonly method: "DELETE" | "GET" | "PATCH" | "POST";
  /** Where it is below the mount, such as `/tokens/{id}/`. */
  readonly path: string;
  /** One sentence on what it does. */
  readonly summary: string;
  /** The schema of its body; `null` when it takes none. */
  readonly body: v.GenericSchema | null;
  /** The schema of its query parameters; `null` when it takes none. */
  readonly query: v.GenericSchema | null;
  /** Whether it needs a token. */
  readonly guarded: boolean;
  /** What each status means, in a sentence. */
  readonly answers: Readonly<Record<number, string>>;
  /** Answers a request of its method. */
  readonly answer: Endpoint;
}

/**
 * The path of a request, normalised as in any URL but not decoded; `""` for what is no URL.
 *
 * A path that begins with two slashes is a path, and names no host.
 */
export function readPath(request: EndpointRequest): string {
  return readUrl(request)?.pathname ?? "";
}

/** The id at the end of a path; `null` for a last part that cannot be one. */
export function readId(request: EndpointRequest): string | null {
  return /\/([0-9A-Za-z]{1,64})\/?$/.exec(readPath(request))?.[1] ?? null;
}

/** The query parameters of a request; of a repeated one the last. */
export function readQuery(request: EndpointRequest): Record<string, string> {
  return Object.fromEntries(readUrl(request)?.searchParams ?? []);
}

function readUrl({ url }: EndpointRequest): URL | null {
  try {
    return new URL(url.startsWith("/") ? `http://localhost${url}` : url);
  } catch {
    return null;
  }
}
