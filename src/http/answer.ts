import type { Answer } from "../ports/dialect.ts";
import type { Throttled } from "../pure/limit.ts";

/** An answer with a JSON body. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

/** The same answer with more headers. */
export function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** The seconds after which a throttled client may try again; `null` when waiting does not help. */
export function retrySeconds({ retryAfter }: Throttled): number | null {
  return Number.isFinite(retryAfter) ? Math.max(1, Math.ceil(retryAfter / 1000)) : null;
}

/** What tells a throttled client when to come back: `Retry-After`, and the RateLimit fields of the IETF's draft; nothing when waiting does not help. */
export function throttleHeaders(throttled: Throttled): Readonly<Record<string, string>> {
  const { max, window } = throttled.limit;
  const seconds = retrySeconds(throttled);
  if (seconds === null) return {};
  return {
    "Retry-After": String(seconds),
    "RateLimit-Policy": `"default";q=${max};w=${Math.ceil(window / 1000)}`,
    "RateLimit": `"default";r=0;t=${seconds}`,
  };
}

/** The answer as a `Response` of the Web platform. */
export function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}
