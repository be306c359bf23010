import type { Throttled } from "../pure/limit.ts";
import type { Token } from "../pure/record.ts";
import type { TokenReason } from "../pure/verify.ts";

/** An HTTP answer as plain data, for a framework to send. */
export interface Answer {
  /** The status code. */
  readonly status: number;
  /** Header names in their usual spelling, each once. */
  readonly headers: Readonly<Record<string, string>>;
  /** `null` for an answer without a body. */
  readonly body: string | null;
}

/** Why an `Authorization` header of an accepted scheme was not even a token. */
export type HeaderReason =
  | "empty_credentials"
  | "credentials_contain_spaces"
  | "credentials_not_utf8"
  | "credentials_too_long";

/** What is wrong with submitted fields, in sentences for the person who filled them in. */
export interface InputErrors {
  /** By field name; in the order in which they were found. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** Errors that belong to no single field. */
  readonly form: readonly string[];
}

/** Everything the library refuses over HTTP, by reason. */
export type Denial =
  | { readonly reason: "not_authenticated" }
  | { readonly reason: HeaderReason | TokenReason }
  | {
    readonly reason: "permission_denied";
    readonly message?: string;
    readonly scopes?: readonly string[];
  }
  | { readonly reason: "several_credentials" }
  | Throttled
  | { readonly reason: "overloaded" }
  | { readonly reason: "foreign_origin" }
  | { readonly reason: "bad_credentials" }
  | { readonly reason: "token_limit" }
  | { readonly reason: "not_found" }
  | { readonly reason: "changed_meanwhile" }
  | { readonly reason: "invalid_input"; readonly errors: InputErrors }
  | { readonly reason: "malformed_body"; readonly kind: "JSON" | "form" | "multipart" }
  | { readonly reason: "unsupported_media_type"; readonly mediaType: string }
  | { readonly reason: "body_too_large"; readonly limit: number }
  | { readonly reason: "body_timeout" | "incomplete_body" }
  | { readonly reason: "method_not_allowed"; readonly method: string }
  | { readonly reason: "store_unavailable" };

/** What an endpoint tells of itself to `OPTIONS`. */
export interface EndpointDescription {
  /** What the endpoint is called. */
  readonly name: string;
  /** What it takes and answers, in the order to show. */
  readonly fields: readonly FieldDescription[];
}

/** One field of an endpoint's body or answer. */
export interface FieldDescription {
  /** The key in the body or the answer. */
  readonly name: string;
  /** Whether a request must have it. */
  readonly required: boolean;
  /** Whether it is only ever in the answer. */
  readonly readOnly: boolean;
}

/**
 * How answers look on the wire.
 *
 * A plain object: write your own by spreading one of the library's and
 * replacing a method. It decides form, never whether a request passes.
 */
export interface Dialect {
  /** The scheme of the `Authorization` header, compared without regard to case. */
  readonly scheme: string;
  /**
   * Answers a refused request.
   *
   * @param challenge The scheme to challenge with; `null` when the route has none to
   * offer, in which case a 401, which must carry a challenge, becomes a 403
   */
  readonly deny: (denial: Denial, challenge: string | null) => Answer;
  /**
   * Answers with the text of a new token. The endpoint adds `Cache-Control: no-store`.
   *
   * @param now The instant of the answer, from which a remaining lifetime counts
   */
  readonly grant: (text: string, token: Token, now: number) => Answer;
  /** Answers `OPTIONS` for an endpoint. */
  readonly describe: (endpoint: EndpointDescription) => Answer;
}
