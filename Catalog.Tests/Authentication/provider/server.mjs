// An identity provider with one client per signing algorithm; the client id is the algorithm. It prints its issuer as
// one line and exits when its standard input closes.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const jwk = (type, options, kid) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig' });

process.stdin.resume().on('end', () => process.exit(0));
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: ['RS256', 'PS256', 'ES256'].map((algorithm) => ({
      client_id: algorithm,
      client_secret: `secret-of-${algorithm}`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, 'rsa'), jwk('ec', { namedCurve: 'P-256' }, 'elliptic')] },
    scopes: ['read', 'write'],
    ttl: { ClientCredentials: 300 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource, client) => ({
          scope: 'read write',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: client.clientId } },
        }),
      },
    },
    extraTokenClaims: () => ({ organization: 'certified' }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
