/** A token that must hold, as whoever was told of it knows it. */
export interface HeldToken {
  readonly id: string;
  /** The id of the first token of its line of rotations. */
  readonly family: string;
  /** `null` when the process that received it was killed before it could pass it on. */
  readonly text: string | null;
  /** Whether it is the reusable token of a login. */
  readonly isReusable: boolean;
  /** The id of the token it was rotated into; `null` before any rotation. */
  readonly successor: string | null;
}

/** What one writer knows of a user: all there is, or its own part of a user that several share. */
export interface Account {
  /** Unique among the accounts. */
  readonly key: string;
  readonly userId: string;
  readonly username: string;
  readonly password: string;
  readonly isActive: boolean;
  /** Whether other writers make tokens for the same user. */
  readonly isShared: boolean;
  /** Every token that must hold. */
  readonly tokens: readonly HeldToken[];
}

/** Something a writer does, described before it starts. */
export type Operation =
  | { readonly kind: "login" | "reusing login" | "issue" }
  | {
    readonly kind: "rotate" | "revoke" | "logout" | "revoke others" | "use";
    readonly token: string;
  }
  | { readonly kind: "change password" | "set password"; readonly next: string }
  | { readonly kind: "revoke all" | "deactivate" | "activate" };

/** The name of an operation, as the report shows it. */
export type OperationKind = Operation["kind"];

/** What an operation answered: the token it gave, or `null` for none. */
export type Reply = Pick<HeldToken, "id" | "family" | "text"> | null;

/**
 * Returns an account after an operation was done, wholly.
 *
 * @throws {Error} when no right library could have given this answer
 */
export function apply(account: Account, operation: Operation, reply: Reply): Account {
  const { tokens } = account;
  switch (operation.kind) {
    case "login":
    case "issue":
      return add(account, tokens, reply, false);
    case "reusing login": {
      const shown = tokens.find(({ isReusable }) => isReusable);
      if (shown === undefined) return add(account, tokens, reply, true);
      if (shown.successor === null) {
        if (reply === null || reply.id !== shown.id || differ(shown.text, reply.text)) {
          throw new Error("a login gave a second reusable token");
        }
        return replace(account, { ...shown, text: shown.text ?? reply.text });
      }
      // It was rotated, so the login made room for another one.
      return add(account, tokens.filter((token) => token !== shown), reply, true);
    }
    case "rotate": {
      const old = tokens.find(({ id }) => id === operation.token);
      if (old === undefined || reply === null) {
        throw new Error("a token that holds was not rotated");
      }
      if (old.successor === null) {
        const rotated = replace(account, { ...old, successor: reply.id });
        return add(account, rotated.tokens, reply, false);
      }
      const known = tokens.find(({ id }) => id === old.successor);
      if (old.successor !== reply.id || differ(known?.text ?? null, reply.text)) {
        throw new Error("a token was rotated into two");
      }
      return known === undefined
        ? account
        : replace(account, { ...known, text: known.text ?? reply.text });
    }
    case "logout": {
      const family = tokens.find(({ id }) => id === operation.token)?.family;
      return { ...account, tokens: tokens.filter((token) => token.family !== family) };
    }
    case "revoke":
      return { ...account, tokens: tokens.filter(({ id }) => id !== operation.token) };
    case "revoke others":
      return { ...account, tokens: tokens.filter(({ id }) => id === operation.token) };
    case "use":
      return account;
    case "change password":
    case "set password":
      return { ...account, password: operation.next, tokens: [] };
    case "revoke all":
      return { ...account, tokens: [] };
    case "deactivate":
      return { ...account, isActive: false, tokens: [] };
    case "activate":
      return { ...account, isActive: true };
  }
}

/** Whether two texts are known and not the same. */
function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

function add(
  account: Account,
  tokens: readonly HeldToken[],
  reply: Reply,
  isReusable: boolean,
): Account {
  if (reply === null) return { ...account, tokens };
  return { ...account, tokens: [...tokens, { ...reply, isReusable, successor: null }] };
}

function replace(account: Account, changed: HeldToken): Account {
  const tokens = account.tokens.map((token) => (token.id === changed.id ? changed : token));
  return { ...account, tokens };
}

/** One line that a writer sends: before an operation, and after it was answered. */
export type Line =
  | { readonly key: string; readonly begins: Operation }
  | { readonly key: string; readonly answered: Reply };

/** What a writer's process is told at its start. */
export interface Assignment {
  readonly url: string;
  readonly seed: number;
  readonly fault: string;
  /** For how long the driver itself waits for another writer, in milliseconds; 0 leaves it to the store. */
  readonly timeout: number;
  /** For each writer of the process, the accounts it alone works on. */
  readonly writers: readonly (readonly Account[])[];
}
