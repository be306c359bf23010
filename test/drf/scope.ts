/** Which recordings are about something the library does. */
import type { Case, Fixtures } from "./case.ts";
import type { View } from "./views.ts";

const GROUPS: Readonly<Record<string, string>> = {
  negotiation: "content negotiation is the framework's",
  "session-csrf": "sessions and CSRF are the framework's",
  "basic-auth": "Basic is not a token",
};

/** Why a recording is not replayed; `null` when it is. */
export function findScope(
  recording: Case,
  views: readonly Pick<View, "path" | "session">[],
  fixtures: Fixtures,
): string | null {
  const group = GROUPS[recording.group];
  if (group !== undefined) return group;
  if (recording.quirk !== undefined) return "marked as a quirk of the recorded system";
  // Every answer of a view carries it: without, the recorded server or router answered.
  if (recording.response.headers["Allow"] === undefined) return "not answered by a view";
  const credentials = readAuthorization(recording);
  if (/^basic\b/i.test(credentials)) return "Basic is not a token";
  if (/^basic\b/i.test(recording.response.headers["WWW-Authenticate"] ?? "")) {
    return "Basic is not a token";
  }
  if (/"(Session|Basic)Authentication"/.test(recording.response.body ?? "")) {
    return "answered through a session or Basic";
  }
  return needsSession(recording, credentials, views, fixtures)
    ? "answered through a session or Basic"
    : null;
}

/** Whether the recorded view looked at a session that exists. */
function needsSession(
  { request, setup }: Case,
  credentials: string,
  views: readonly Pick<View, "path" | "session">[],
  { sessions }: Fixtures,
): boolean {
  const path = request.path.split("?", 1)[0];
  const view = views.find((one) => one.path === path);
  if (view === undefined || view.session === "no") return false;
  const cookies = [request, ...setup.flatMap((one) => one.request ?? [])]
    .flatMap(({ headers }) => headers)
    .filter(([name]) => name.toLowerCase() === "cookie");
  const hasSession = Object.values(sessions).some((session) =>
    cookies.some(([, value]) => value.includes(session))
  );
  // A token that is looked at first decides alone, for better or worse.
  return hasSession && !(view.session === "last" && /^\s*token(\s|$)/i.test(credentials));
}

function readAuthorization({ request }: Case): string {
  const header = request.headers.find(([name]) => name.toLowerCase() === "authorization");
  return header?.[1] ?? "";
}
