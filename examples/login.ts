/** A login with a schema, criteria and answers of the application's own. */
import {
  type Auth,
  charField,
  defineEndpoint,
  type Endpoint,
  findClientAddress,
  grantToken,
  verifyPassword,
} from "latchkey";
import * as v from "valibot";

const Login = v.object({
  username: charField({ maxLength: 20 }),
  password: charField({ maxLength: 20 }),
});

export function customLogin(auth: Auth): Endpoint {
  return defineEndpoint(auth, {
    schema: Login,
    async handle(credentials, request) {
      const address = findClientAddress(request, auth.trustedProxies);
      const verified = await verifyPassword(auth, { ...credentials, address });
      if (!verified.ok && verified.failure.reason === "throttled") return verified.failure;
      const granted = verified.ok ? await grantToken(auth, verified.value) : verified;
      return granted.ok
        ? Response.json({ token: granted.value.text.reveal() })
        : Response.json({ msg: "Invalid username/password" }, { status: 400 });
    },
  });
}
