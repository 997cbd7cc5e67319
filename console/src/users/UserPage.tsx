import { useQuery } from '@connectrpc/connect-query';
import { Code, Paper, Stack, Text, Title } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';

import { problemOf } from '~/api/problem';
import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import type { User } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { Fact, Facts } from '~/shared/Facts';
import { Failure } from '~/shared/Failure';
import { IfPermitted } from '~/shared/IfPermitted';
import { AnchorLink } from '~/shared/links';
import { Loading } from '~/shared/Loading';
import { PageHeader } from '~/shared/PageHeader';
import { userName } from '~/shared/people';
import { StatusBadge } from '~/shared/StatusBadge';
import { When } from '~/shared/When';

import { Protection } from './Protection';
import { TouchingImports } from './TouchingImports';

/** One person's details. */
export function UserPage() {
  const { userId } = useParams({ from: '/shell/users/$userId' });
  return (
    <>
      <AnchorLink to="/users">
        <IconArrowLeft size={14} aria-hidden /> Users
      </AnchorLink>
      <IfPermitted needs="users.read" action="see users" heading="User">
        <KnownUser userId={userId} />
      </IfPermitted>
    </>
  );
}

function KnownUser({ userId }: { readonly userId: string }) {
  const { organization } = useSession();
  const query = useQuery(DirectoryService.method.getUser, {
    organization,
    key: { case: 'userId', value: userId },
  });
  if (query.isPending) {
    return <Loading label="Reading the user" />;
  }
  const user = query.data?.user;
  if (!user) {
    return (
      <>
        <PageHeader title="User" />
        <Failure
          problem={problemOf(query.error)}
          title="The user cannot be shown"
          onRetry={() => void query.refetch()}
        />
      </>
    );
  }
  return (
    <>
      <PageHeader title={userName(user)} description={user.email} />
      <Stack gap="lg">
        <Attributes user={user} />
        <Protection user={user} />
        <section aria-labelledby="touching">
          <Title order={2} size="h5" id="touching" mb="xs">
            Imports that touched this user
          </Title>
          <TouchingImports user={user} />
        </section>
      </Stack>
    </>
  );
}

function Attributes({ user }: { readonly user: User }) {
  return (
    <Paper withBorder px="md" py="xs">
      <Facts>
        <Fact name="Status">
          <StatusBadge status={user.status} />
        </Fact>
        <Fact name="Role">{user.role}</Fact>
        <Fact name="First name">{user.firstName}</Fact>
        <Fact name="Last name">{user.lastName}</Fact>
        <Fact name="Email">{user.email}</Fact>
        <Fact name="Username">{user.username}</Fact>
        <Fact name="External ID">{user.externalId}</Fact>
        <Fact name="Badge number">{user.badgeNumber}</Fact>
        <Fact name="Rank">{user.rank}</Fact>
        <Fact name="Group">
          {user.evidenceGroupExternalId && <GroupName externalId={user.evidenceGroupExternalId} />}
        </Fact>
        <Fact name="Supervisor">{user.supervisorEmail && <Supervisor email={user.supervisorEmail} />}</Fact>
        <Fact name="Phone">{user.phone}</Fact>
        <Fact name="Created">{user.createdAt && <When at={user.createdAt} />}</Fact>
        <Fact name="Last changed">{user.updatedAt && <When at={user.updatedAt} />}</Fact>
        <Fact name="ID">
          <Code>{user.id}</Code>
        </Fact>
      </Facts>
    </Paper>
  );
}

/** A group as people know it. */
function GroupName({ externalId }: { readonly externalId: string }) {
  const { organization } = useSession();
  const { data } = useQuery(DirectoryService.method.getCatalog, { organization }, { staleTime: 60_000 });
  const group = data?.catalog?.groups.find((one) => one.externalId === externalId);
  return group ? `${group.name} (${externalId})` : externalId;
}

/** The way to a user's supervisor. */
function Supervisor({ email }: { readonly email: string }) {
  const { organization } = useSession();
  const { data } = useQuery(DirectoryService.method.getUser, {
    organization,
    key: { case: 'email', value: email },
  });
  if (!data?.user) {
    return email;
  }
  return (
    <>
      <AnchorLink to="/users/$userId" params={{ userId: data.user.id }} underline="always">
        {userName(data.user)}
      </AnchorLink>{' '}
      <Text span size="sm" c="dimmed">
        {email}
      </Text>
    </>
  );
}
