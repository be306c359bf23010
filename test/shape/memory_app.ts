// A whole application in memory: it logs in, calls a guarded route with the token and without, and
// prints what it saw. It has no type of its own, so that the same text runs as JavaScript against
// the packed library, and it needs no permission of the runtime.
import { createGuard, createObtainToken, createUser, defineAuth } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";

const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
await createUser(auth, { username: "ada", password: "correct horse battery" });
const response = await createObtainToken(auth)(
  new Request("https://example.com/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "ada", password: "correct horse battery" }),
  }),
);
const { token } = await response.json();
const guard = createGuard(auth);
const known = await guard(
  new Request("https://example.com/", { headers: { Authorization: `Token ${token}` } }),
);
const anonymous = await guard(new Request("https://example.com/"));
console.log(known.ok && known.value.user.username, anonymous.ok || anonymous.failure.status);
