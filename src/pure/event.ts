import type { RevokedReason } from "./record.ts";
import type { TokenReason } from "./verify.ts";

/** Why a password was refused, for the log. A client must be told the same for all of them. */
export type LoginReason =
  | "unknown_user"
  | "no_password"
  | "wrong_password"
  | "inactive_user"
  | "malformed_credentials";

/**
 * Something that happened, for logs, metrics and audits.
 *
 * Ids and codes only: never a token, a digest, a password, nor a username,
 * which is where people type passwords by mistake. `owner` is `null` when
 * nobody is known to have been meant.
 */
export type AuthEvent =
  | {
    readonly type: "logged_in";
    readonly at: number;
    readonly owner: string;
    readonly token: string;
  }
  | {
    readonly type: "login_refused";
    readonly at: number;
    readonly owner: string | null;
    /** `throttled`: there were too many attempts, so the password was not even looked at. */
    readonly reason: LoginReason | "throttled";
  }
  | {
    readonly type: "token_issued";
    readonly at: number;
    readonly owner: string;
    readonly token: string;
  }
  | {
    readonly type: "token_refused";
    readonly at: number;
    readonly owner: string | null;
    readonly token: string | null;
    readonly reason: TokenReason;
  }
  | {
    readonly type: "token_rotated";
    readonly at: number;
    readonly owner: string;
    readonly token: string;
    readonly successor: string;
  }
  /** A token was used after it was rotated and its overlap had ended: its family was revoked. */
  | {
    readonly type: "token_reused";
    readonly at: number;
    readonly owner: string;
    readonly token: string;
    readonly family: string;
    readonly count: number;
  }
  | {
    readonly type: "token_revoked";
    readonly at: number;
    readonly owner: string | null;
    readonly token: string;
    readonly reason: RevokedReason;
  }
  | {
    readonly type: "tokens_revoked";
    readonly at: number;
    readonly owner: string;
    readonly reason: RevokedReason;
    readonly count: number;
  }
  | { readonly type: "tokens_pruned"; readonly at: number; readonly count: number };

/** The type of an event, as it is stored and compared. */
export type AuthEventType = AuthEvent["type"];

/**
 * Receives events. Whatever it does changes nothing for the request: it may
 * throw, reject late or never return.
 */
export type EventSink = (event: AuthEvent) => unknown;
