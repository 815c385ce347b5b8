// A real provider for the tests, on a port of its own: `node provider.mjs '{"port": …, "redirect": "…", "people": {…}}'`.
// It takes any password of the people it knows by their names. Their claims may be set anew by a POST to /people.
import http from "node:http";
import Provider from "oidc-provider";

const { port, redirect, people } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: "slipway", client_secret: "a secret of the client", redirect_uris: [redirect] }],
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "given_name", "family_name"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  // Consent is the company's.
  loadExistingGrant: async (context) => {
    const grant = new context.oidc.provider.Grant({ clientId: "slipway", accountId: context.oidc.session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
  findAccount: (_context, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  cookies: { keys: ["only for tests"] },
  pkce: { required: () => true },
});

const answer = provider.callback();
http
  .createServer(async (request, response) => {
    if (request.method !== "POST" || request.url !== "/people") return answer(request, response);
    let body = "";
    for await (const piece of request) body += piece;
    Object.assign(people, JSON.parse(body));
    response.end();
  })
  .listen(port, "127.0.0.1", () => console.log(`listening at ${issuer}`));
