import { Anchor, Center, Stack, Text } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { Loading } from '~/shared/Loading';

import { finishProviderSignIn } from './provider';
import { keepToken } from './token';

/** Where the identity provider comes back to. */
export function ProviderCallback() {
  const router = useRouter();
  const begun = useRef(false);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    // The provider's answer is good once.
    if (begun.current) {
      return;
    }
    begun.current = true;
    finishProviderSignIn()
      .then(({ token, returnTo }) => {
        keepToken(token);
        router.history.replace(returnTo);
      })
      .catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  }, [router]);
  if (failure === undefined) {
    return <Loading label="Signing in" />;
  }
  return (
    <Center mih="60vh" component="main">
      <Stack gap="xs" maw={440}>
        <Text>The identity provider did not sign you in: {failure}</Text>
        <Anchor href="/console/">Try again</Anchor>
      </Stack>
    </Center>
  );
}
