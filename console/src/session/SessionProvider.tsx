import { Center } from '@mantine/core';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';

import { problemOf } from '~/api/problem';
import { directory } from '~/api/transport';
import type { GetCallerResponse } from '~/gen/userimport/v1/directory_service_pb';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';
import { principalName } from '~/shared/people';

import { noteCaller } from './changeToken';
import { choiceOf, readOrganisations } from './organisations';
import { SessionContext, type Permission, type Session } from './Session';
import { useSignInState } from './signInState';
import { SignInPage } from './SignInPage';
import { SignInAgain } from './SignInAgain';
import { token } from './token';

/** Shows `children` to signed-in users, and asks everybody else to sign in. */
export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const { token: kept, refusal } = useSignInState();
  return kept === null ? (
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
  const caller = useQuery({ queryKey: ['caller'], queryFn: readCaller, staleTime: 60_000 });
  const listed = useQuery({
    queryKey: ['organisations'],
    queryFn: ({ signal }) => readOrganisations(directory, { signal }),
    staleTime: 60_000,
  });
  const { organisation } = useSearch({ from: '__root__' });
  // An address without an organisation means what it meant when it was opened, whichever is the first one later.
  const [first, setFirst] = useState<string>();
  const foundFirst = listed.data?.list[0]?.slug;
  if (first === undefined && foundFirst !== undefined) {
    setFirst(foundFirst);
  }
  const session = useMemo<Session | undefined>(() => {
    if (!caller.data) {
      return undefined;
    }
    const { principal, permissions, expiresAt, serverVersion, serverTime } = caller.data;
    const own = caller.data.organization;
    const organization = own || (organisation ?? first ?? '');
    const isUnlisted = own !== '' && !listed.data;
    return {
      principal: principalName(principal),
      organization,
      organizations: isUnlisted ? [{ slug: own, displayName: '' }] : choiceOf(listed.data, organization),
      expiresAt: expiresAt && timestampDate(expiresAt),
      serverVersion,
      clockOffset: serverTime ? timestampDate(serverTime).getTime() - caller.dataUpdatedAt : 0,
      may: (permission: Permission) => permissions.includes(permission),
    };
  }, [caller.data, caller.dataUpdatedAt, listed.data, organisation, first]);
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

async function readCaller({ signal }: { readonly signal: AbortSignal }): Promise<GetCallerResponse> {
  const sent = token();
  const caller = await directory.getCaller({}, { signal });
  await noteCaller(sent, caller);
  return caller;
}
