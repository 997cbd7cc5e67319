import { Center } from '@mantine/core';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@connectrpc/connect-query';
import { useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';

import { problemOf } from '~/api/problem';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';
import { principalName } from '~/shared/people';

import { SessionContext, type Permission, type Session } from './Session';
import { useSignInState } from './signInState';
import { SignInPage } from './SignInPage';
import { SignInAgain } from './SignInAgain';

/** Shows `children` to signed-in users, and asks everybody else to sign in. */
export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const { token, refusal } = useSignInState();
  return token === null ? (
    <SignInPage refusal={undefined} />
  ) : (
    <SignedIn refusal={refusal}>{children}</SignedIn>
  );
}

function SignedIn({
  refusal,
  children,
}: {
  readonly refusal: string | undefined;
  readonly children: ReactNode;
}) {
  const caller = useQuery(DirectoryService.method.getCaller, {}, { staleTime: 60_000 });
  const listed = useQuery(
    DirectoryService.method.listOrganizations,
    { pageSize: 1000 },
    { staleTime: 60_000 },
  );
  const { organisation } = useSearch({ from: '__root__' });
  const session = useMemo<Session | undefined>(() => {
    if (!caller.data) {
      return undefined;
    }
    const { principal, permissions, expiresAt, serverVersion, serverTime } = caller.data;
    const own = caller.data.organization;
    const organizations =
      listed.data?.organizations.map((one) => ({ slug: one.organization, displayName: one.displayName })) ??
      (own ? [{ slug: own, displayName: '' }] : []);
    return {
      principal: principalName(principal),
      organization: own || (organisation ?? organizations[0]?.slug ?? ''),
      organizations,
      expiresAt: expiresAt && timestampDate(expiresAt),
      serverVersion,
      clockOffset: serverTime ? timestampDate(serverTime).getTime() - caller.dataUpdatedAt : 0,
      may: (permission: Permission) => permissions.includes(permission),
    };
  }, [caller.data, caller.dataUpdatedAt, listed.data, organisation]);
  if (!session || (listed.isPending && !session.organization)) {
    if (refusal !== undefined) {
      return <SignInPage refusal={refusal} />;
    }
    return caller.error ? (
      <Center mih="100vh" p="md" component="main">
        <Failure
          problem={problemOf(caller.error)}
          title="The page cannot be shown"
          nextStep="Nothing was changed. Your sign-in is kept."
          onRetry={() => void caller.refetch()}
        />
      </Center>
    ) : (
      <Loading label="Signing in" />
    );
  }
  return (
    <SessionContext value={session}>
      {children}
      {refusal !== undefined && <SignInAgain refusal={refusal} />}
    </SessionContext>
  );
}
