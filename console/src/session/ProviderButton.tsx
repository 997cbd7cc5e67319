import { Alert, Button, Divider, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf } from '~/api/problem';

import { changeToken } from './changeToken';
import {
  beginProviderSignIn,
  openSignInWindow,
  readSignInConfiguration,
  type IdentityProvider,
} from './provider';
import { providerFault } from './providerFault';

/**
 * Signs in at the identity provider that the server names. Nothing if it names none. `keepsPage`: in a window of its own,
 * so that the page keeps what was begun.
 */
export function ProviderButton({ keepsPage = false }: { readonly keepsPage?: boolean }) {
  const configuration = useQuery({
    queryKey: ['sign-in configuration'],
    queryFn: readSignInConfiguration,
    staleTime: Infinity,
  });
  const [failure, setFailure] = useState<string>();
  const provider = configuration.data?.provider;
  const take = (token: string) => {
    changeToken(token).catch((error: unknown) => setFailure(problemOf(error).message));
  };
  const begin = (at: IdentityProvider) => {
    setFailure(undefined);
    if (!keepsPage) {
      beginProviderSignIn(at).catch((error: unknown) => setFailure(providerFault(error)));
    } else if (!openSignInWindow(take)) {
      setFailure('The browser did not open a window. Allow windows of this page, and try again.');
    }
  };
  if (configuration.error) {
    return (
      <Text size="sm">
        It is not known whether you can sign in without a token: {configuration.error.message}
      </Text>
    );
  }
  if (!provider) {
    return null;
  }
  return (
    <>
      <Button onClick={() => begin(provider)}>Sign in with {new URL(provider.issuer).host}</Button>
      {failure && (
        <Alert color="red" role="alert">
          {failure}
        </Alert>
      )}
      <Divider label="or" />
    </>
  );
}
