import type { PasswordContext, PasswordProblem, PasswordRule } from "../pure/password_rule.ts";

/**
 * Asks every rule about a new password and collects what they have against it, in their order.
 *
 * One rule after the other, all of them, so that a person learns everything at once; an empty
 * list when the password may be used, and without rules. What a rule throws is thrown.
 *
 * @example
 * ```ts
 * import { defaultPasswordRules, findProblems } from "latchkey";
 *
 * const problems = await findProblems(defaultPasswordRules, "ada-ada-ada", { username: "ada" });
 * console.log(problems.map(({ code }) => code)); // ["password_too_short", "password_too_repetitive"]
 * ```
 */
export async function findProblems(
  rules: readonly PasswordRule[],
  password: string,
  context: PasswordContext,
): Promise<readonly PasswordProblem[]> {
  const problems: PasswordProblem[] = [];
  for (const rule of rules) {
    const problem = await rule(password, context);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}
