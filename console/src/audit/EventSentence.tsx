import { useQuery } from '@connectrpc/connect-query';

import type { AuditEvent } from '~/gen/userimport/v1/audit_service_pb';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import { useSession } from '~/session/Session';
import { AnchorLink } from '~/shared/links';
import { userName } from '~/shared/people';

import { actorName, eventInWords } from './eventWords';

/** An event in words, with the way to the import or user that it is about. */
export function EventSentence({ event }: { readonly event: AuditEvent }) {
  const { before, kind, after } = eventInWords(event);
  return (
    <>
      <strong>
        <bdi>{actorName(event.principal)}</bdi>
      </strong>
      {before} {kind === 'import' && <ImportLink importId={event.subject} />}
      {kind === 'user' && <UserLink userId={event.subject} />}
      {after}
    </>
  );
}

function ImportLink({ importId }: { readonly importId: string }) {
  return (
    <AnchorLink to="/imports/$importId" params={{ importId }} underline="always">
      {importId.slice(0, 8)}
    </AnchorLink>
  );
}

function UserLink({ userId }: { readonly userId: string }) {
  const { organization } = useSession();
  const { data } = useQuery(
    DirectoryService.method.getUser,
    { organization, key: { case: 'userId', value: userId } },
    { staleTime: 60_000 },
  );
  return (
    <AnchorLink to="/users/$userId" params={{ userId }} underline="always">
      {data?.user ? userName(data.user) : `the user ${userId.slice(0, 8)}`}
    </AnchorLink>
  );
}
