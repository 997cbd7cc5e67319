// Sign-in with OpenID Connect: authorization code with PKCE at the provider that the server names.

export interface IdentityProvider {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
}

export interface SignInConfiguration {
  readonly provider: IdentityProvider | null;
}

export async function readSignInConfiguration(): Promise<SignInConfiguration> {
  const response = await fetch('/console/sign-in.json', { headers: { Accept: 'application/json' } });
  if (!response.ok) {
    throw new Error(`The server answered ${response.status} to the question how to sign in.`);
  }
  return (await response.json()) as SignInConfiguration;
}

// Loaded only when somebody signs in by a provider.
async function manager(provider: IdentityProvider) {
  const { UserManager, WebStorageStateStore } = await import('oidc-client-ts');
  const storage = new WebStorageStateStore({ store: sessionStorage });
  return new UserManager({
    authority: provider.issuer,
    client_id: provider.client_id,
    scope: provider.scope,
    redirect_uri: `${window.location.origin}/console/sign-in/callback`,
    stateStore: storage,
    userStore: storage,
    loadUserInfo: false,
    automaticSilentRenew: false,
  });
}

/** Leaves for the provider, which comes back to `/console/sign-in/callback`. */
export async function beginProviderSignIn(provider: IdentityProvider): Promise<void> {
  const here = window.location.pathname + window.location.search;
  await (await manager(provider)).signinRedirect({ state: { returnTo: here } });
}

/** Takes what the provider answered; returns the token and the address to go back to. */
export async function finishProviderSignIn(): Promise<{ token: string; returnTo: string }> {
  const { provider } = await readSignInConfiguration();
  if (!provider) {
    throw new Error('The server names no identity provider any more.');
  }
  const user = await (await manager(provider)).signinCallback();
  if (!user) {
    throw new Error('The identity provider returned no token.');
  }
  const state = user.state as { returnTo?: string } | undefined;
  return { token: user.access_token, returnTo: state?.returnTo ?? '/console/' };
}
