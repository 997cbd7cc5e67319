// An identity provider with OpenID Connect: oidc-provider on a free port of this machine. To sign in there takes a click
// and no password.

import Provider from 'oidc-provider';

import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT = 'user-import-console';
export const AUDIENCE = 'urn:user-import';

export interface Account {
  readonly name: string;
  /** Slug of the one organisation that the person works for, or `*`. */
  readonly organization: string;
  readonly permissions: readonly string[];
}

export interface IdentityProvider {
  readonly issuer: string;
  /** Options of `serve`, so that the server admits the provider's tokens. */
  readonly serve: readonly string[];
  /** Lets the page at this address sign this person in, for so many seconds. */
  admit(page: string, account: Account, seconds: number): void;
  close(): Promise<void>;
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { kid: 'tests', use: 'sig', alg: 'ES256' };
  const published = { keys: [{ ...publicKey.export({ format: 'jwk' }), ...key }] };
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = (_, response) =>
    response.end();
  const server = createServer((request, response) => {
    if (request.url === '/favicon.ico') {
      response.writeHead(204).end();
    } else if (request.url === '/published-keys') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(published));
    } else {
      answer(request, response);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    serve: [
      ['--jwt-jwks', `${issuer}/published-keys`, '--jwt-issuer', issuer, '--jwt-audience', AUDIENCE],
      ['--jwt-leeway-seconds', '0', '--oidc-client-id', CLIENT],
    ].flat(),
    admit: (page, account, seconds) => {
      const signing = { ...privateKey.export({ format: 'jwk' }), ...key };
      answer = answers(createProvider({ issuer, page, account, seconds, signing }), account);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The provider's own pages: a form to sign in with. */
function answers(provider: Provider, account: Account) {
  const others = provider.callback();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!request.url?.startsWith('/interaction/')) {
      await others(request, response);
    } else if (request.method === 'POST') {
      await provider.interactionFinished(request, response, { login: { accountId: account.name } });
    } else {
      const form = `<form method="post"><button>I am ${account.name}</button></form>`;
      const page = `<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1>${form}</html>`;
      response.setHeader('Content-Type', 'text/html').end(page);
    }
  };
}

interface ProviderSettings {
  readonly issuer: string;
  readonly page: string;
  readonly account: Account;
  readonly seconds: number;
  readonly signing: JsonWebKey;
}

function createProvider({ issuer, page, account, seconds, signing }: ProviderSettings): Provider {
  const client = {
    client_id: CLIENT,
    application_type: 'web',
    redirect_uris: [`${page}/sign-in/callback`],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  const resource = { scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: seconds };
  const provider: Provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys: [signing] },
    cookies: { keys: ['tests'] },
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: async () => {
      const grant = new provider.Grant({ accountId: account.name, clientId: CLIENT });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    extraTokenClaims: () => ({
      organization: account.organization,
      permissions: account.permissions,
    }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ ...resource, jwt: { sign: { alg: 'ES256' } } }),
      },
    },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
  });
  return provider;
}
