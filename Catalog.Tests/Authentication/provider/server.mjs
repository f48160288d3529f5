// An identity provider with one client per signing algorithm, whose id is the algorithm, and two clients with which
// people sign in to the pages. It prints its issuer as one line and exits when its standard input closes.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const jwk = (type, options, kid) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig' });

// The address of the service has any port, which the provider allows on loopback for native applications.
const pages = (id, more) => ({
  client_id: id,
  application_type: 'native',
  grant_types: ['authorization_code'],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1/ui/sign-in/callback', 'http://localhost/ui/sign-in/callback'],
  ...more,
});

// People by their account: what their tokens say about them.
const people = {
  ada: { organization: 'certified' },
  stranger: { organization: 'unregistered' },
  nobody: {},
};

process.stdin.resume().on('end', () => process.exit(0));
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [...['RS256', 'PS256', 'ES256'].map((algorithm) => ({
      client_id: algorithm,
      client_secret: `secret-of-${algorithm}`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })), pages('pages', { client_secret: 'c4nary-of-pages', token_endpoint_auth_method: 'client_secret_post' }),
    pages('public-pages', { token_endpoint_auth_method: 'none' })],
    jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, 'rsa'), jwk('ec', { namedCurve: 'P-256' }, 'elliptic')] },
    scopes: ['openid', 'read', 'write'],
    ttl: { ClientCredentials: 300, AccessToken: 300 },
    pkce: { required: () => true },
    findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    // Everybody consents to everything.
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
      grant.addOIDCScope('openid read write');
      grant.addResourceScope(context.oidc.params.resource, 'read write');
      await grant.save();
      return grant;
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      // Without it the parameters of a request are in its address, where a test can see them.
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource, client) => ({
          scope: 'read write',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: client.clientId.endsWith('pages') ? 'RS256' : client.clientId } },
        }),
      },
    },
    extraTokenClaims: (context, token) => (token.accountId ? people[token.accountId] : { organization: 'certified' }),
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    const url = new URL(request.url, issuer);
    if (!url.pathname.startsWith('/interaction/')) {
      return answer(request, response);
    }

    // The person who signs in is named in the query. One of them refuses.
    const account = url.searchParams.get('account');
    const { prompt } = await provider.interactionDetails(request, response);
    const result = !people[account] ? { error: 'access_denied', error_description: 'refused' }
      : prompt.name === 'login' ? { login: { accountId: account } } : { consent: {} };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  });
  console.log(issuer);
});
