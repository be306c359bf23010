import { type Auth, type IssueOptions, issueToken, type Owner, type Token } from "latchkey";

/** A token as a client holds it, beside what is known of it. */
export interface Issued {
  readonly text: string;
  readonly token: Token;
}

/** Issues a token that must be issued. */
export async function issue(auth: Auth, owner: Owner, options: IssueOptions = {}): Promise<Issued> {
  const issued = await issueToken(auth, owner, options);
  if (!issued.ok) throw new Error(`Cannot issue a token: ${issued.failure.reason}`);
  return { text: issued.value.text.reveal(), token: issued.value.token };
}
