import { Button, Divider } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { beginProviderSignIn, readSignInConfiguration } from './provider';

/** Signs in at the identity provider that the server names. Nothing if it names none. */
export function ProviderButton() {
  const configuration = useQuery({
    queryKey: ['sign-in configuration'],
    queryFn: readSignInConfiguration,
    staleTime: Infinity,
  });
  const provider = configuration.data?.provider;
  if (!provider) {
    return null;
  }
  return (
    <>
      <Button onClick={() => void beginProviderSignIn(provider)}>
        Sign in with {new URL(provider.issuer).host}
      </Button>
      <Divider label="or" />
    </>
  );
}
