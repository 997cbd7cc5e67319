// Sign-in with OpenID Connect: authorization code with PKCE at the provider that the server names.

export interface IdentityProvider {
  readonly issuer: string;
  readonly client_id: string;
  readonly scope: string;
}

export interface SignInConfiguration {
  readonly provider: IdentityProvider | null;
}

/** What is to happen once somebody is signed in. */
interface SignInState {
  /** The address to go back to. */
  readonly returnTo?: string;
  /** The name of the channel on which the page that opened this window waits for the token. */
  readonly channel?: string;
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
export async function beginProviderSignIn(provider: IdentityProvider, state?: SignInState): Promise<void> {
  const here = window.location.pathname + window.location.search;
  await (await manager(provider)).signinRedirect({ state: state ?? { returnTo: here } });
}

/** Opens a window in which somebody signs in, so that the page keeps what was begun. False: it was not opened. */
export function openSignInWindow(onToken: (token: string) => void): boolean {
  const name = `sign-in ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    channel.close();
    if (typeof data === 'string') {
      onToken(data);
    }
  };
  const address = `/console/sign-in/window?${new URLSearchParams({ channel: name })}`;
  return window.open(address, '_blank', 'popup,width=520,height=720') !== null;
}

export interface ProviderAnswer {
  readonly token: string;
  readonly state: SignInState;
}

/** Takes what the provider answered. */
export async function finishProviderSignIn(): Promise<ProviderAnswer> {
  const { provider } = await readSignInConfiguration();
  if (!provider) {
    throw new Error('The server names no identity provider any more.');
  }
  const users = await manager(provider);
  const user = await users.signinCallback();
  if (!user) {
    throw new Error('The identity provider returned no token.');
  }
  // The token is kept by this page, and nothing else of the answer.
  await users.removeUser();
  return { token: user.access_token, state: (user.state as SignInState | undefined) ?? {} };
}
