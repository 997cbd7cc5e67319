import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';

import { problemOf } from '~/api/problem';
import { directory } from '~/api/transport';
import type { GetCallerResponse } from '~/gen/userimport/v1/directory_service_pb';
import { principalName } from '~/shared/people';

import { noteCaller } from './changeToken';
import { Connecting } from './Connecting';
import { choiceOf, readOrganisations } from './organisations';
import { SessionContext, type Permission, type Session } from './Session';
import { useSignInState } from './signInState';
import { SignInPage } from './SignInPage';
import { SignInAgain } from './SignInAgain';
import { token } from './token';

const LONGEST_WAIT = 5_000;

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
  const caller = useQuery({ ...UNTIL_ANSWERED, queryKey: ['caller'], queryFn: readCaller });
  const listed = useQuery({
    ...UNTIL_ANSWERED,
    queryKey: ['organisations'],
    queryFn: ({ signal }) => readOrganisations(directory, { signal }),
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
      credential: principal,
      organization,
      organizations: isUnlisted ? [{ slug: own, displayName: '' }] : choiceOf(listed.data, organization),
      expiresAt: expiresAt && timestampDate(expiresAt),
      serverVersion,
      clockOffset: serverTime ? timestampDate(serverTime).getTime() - caller.dataUpdatedAt : 0,
      may: (permission: Permission) => permissions.includes(permission),
    };
  }, [caller.data, caller.dataUpdatedAt, listed.data, organisation, first]);
  const isWithoutList = !listed.data && !isDenied(listed.error);
  if (!session || (isWithoutList && !session.organization)) {
    if (refusal !== undefined) {
      return <SignInPage refusal={refusal} />;
    }
    return session ? (
      <Connecting query={listed} queryKey={['organisations']} />
    ) : (
      <Connecting query={caller} queryKey={['caller']} />
    );
  }
  return (
    <SessionContext value={session}>
      {children}
      {refusal !== undefined && <SignInAgain refusal={refusal} />}
    </SessionContext>
  );
}

/** Without these answers there is no page, so they are asked for until the server gives them. */
const UNTIL_ANSWERED = {
  staleTime: 60_000,
  retry: (_: number, error: Error) => problemOf(error).isTransient,
  retryDelay: (failures: number, error: Error) =>
    problemOf(error).retryDelay ?? Math.min(500 * 2 ** failures, LONGEST_WAIT),
};

/** True: the caller may not list organisations, so there will be no list. */
function isDenied(error: Error | null): boolean {
  return error !== null && problemOf(error).code === Code.PermissionDenied;
}

async function readCaller({ signal }: { readonly signal: AbortSignal }): Promise<GetCallerResponse> {
  const sent = token();
  const caller = await directory.getCaller({}, { signal });
  await noteCaller(sent, caller);
  return caller;
}
