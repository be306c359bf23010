/** The steps of the tutorial, each with the answer that it must get. */

/** What a step sends. */
export interface Step {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  readonly expected: Expected;
}

/** What a step must be answered with. */
export interface Expected {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body, or `token` for an object with nothing but a token. */
  readonly body: string | "token";
}

/** What came back, and whether it is what had to. */
export interface Outcome {
  readonly step: Step;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly passed: boolean;
}

/** Who logs in. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

const TOKEN_BODY = /^\{"token":"([^"]+)"\}$/;
const JSON_TYPE = { "Content-Type": "application/json" };
const SECRET_INFO = { method: "GET", path: "/api/secret-info/" };
const HELLO = { status: 200, body: '{"hello":"World"}' };
const GRANTED = { status: 200, headers: { "Cache-Control": "no-store" }, body: "token" };

/**
 * Walks the tutorial against a running server and returns every outcome.
 *
 * All logins must give the same token, since the examples reuse it.
 */
export async function walkTutorial(url: string, account: Account): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const tokens = new Set<string>();
  for (const step of [...openingSteps(account)]) {
    const outcome = await takeStep(url, step);
    const token = TOKEN_BODY.exec(outcome.body)?.[1];
    if (token !== undefined) tokens.add(token);
    outcomes.push({ ...outcome, passed: outcome.passed && tokens.size <= 1 });
  }
  for (const step of closingSteps([...tokens][0] ?? "")) outcomes.push(await takeStep(url, step));
  return outcomes;
}

/** The token that a walk was given; empty when it was given none. */
export function findToken(outcomes: readonly Outcome[]): string {
  return outcomes.map(({ body }) => TOKEN_BODY.exec(body)?.[1]).find((token) => token) ?? "";
}

/** Sends one step and compares the answer. */
export async function takeStep(url: string, step: Step): Promise<Outcome> {
  const { method, path, headers = {}, body = null, expected } = step;
  const response = await fetch(url + path, { method, headers, body });
  const text = await response.text();
  const passed = response.status === expected.status &&
    (expected.body === "token" ? TOKEN_BODY.test(text) : text === expected.body) &&
    Object.entries(expected.headers ?? {}).every(([name, value]) =>
      response.headers.get(name) === value
    );
  return { step, status: response.status, headers: response.headers, body: text, passed };
}

/** Asks for the secret with a token. */
export function useToken(token: string): Step {
  const headers = { Authorization: `Token ${token}` };
  return { ...SECRET_INFO, title: "With the token", headers, expected: HELLO };
}

function openingSteps({ username, password }: Account): readonly Step[] {
  const json = JSON.stringify({ username, password });
  const form = new FormData();
  form.set("username", username);
  form.set("password", password);
  const getToken = { method: "POST", path: "/api/get-token/" };
  const login = { method: "POST", path: "/api/login/", headers: JSON_TYPE };
  return [
    {
      ...SECRET_INFO,
      title: "Without a token",
      expected: {
        status: 401,
        headers: { "WWW-Authenticate": "Token" },
        body: '{"detail":"Authentication credentials were not provided."}',
      },
    },
    { ...getToken, title: "Log in with JSON", headers: JSON_TYPE, body: json, expected: GRANTED },
    {
      ...getToken,
      title: "Log in with a form, and get the same token",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ username, password }).toString(),
      expected: GRANTED,
    },
    { ...getToken, title: "Log in with multipart", body: form, expected: GRANTED },
    {
      ...getToken,
      title: "Log in with a wrong password",
      headers: JSON_TYPE,
      body: JSON.stringify({ username, password: "wrong" }),
      expected: {
        status: 400,
        body: '{"non_field_errors":["Unable to log in with provided credentials."]}',
      },
    },
    { ...login, title: "Log in through the custom login", body: json, expected: GRANTED },
    {
      ...login,
      title: "The custom login has answers of its own",
      body: JSON.stringify({ username, password: "wrong" }),
      expected: { status: 400, body: '{"msg":"Invalid username/password"}' },
    },
  ];
}

function closingSteps(token: string): readonly Step[] {
  return [
    useToken(token),
    {
      ...SECRET_INFO,
      title: "With a token that was tampered with",
      headers: { Authorization: `Token ${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}` },
      expected: {
        status: 401,
        headers: { "WWW-Authenticate": "Token" },
        body: '{"detail":"Invalid token."}',
      },
    },
  ];
}
