import { Button, Group, Stack, Text } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { IconFilterOff, IconHistory } from '@tabler/icons-react';
import { useState } from 'react';

import { problemOf } from '~/api/problem';
import { audit } from '~/api/transport';
import { useSession } from '~/session/Session';
import { EmptyState } from '~/shared/EmptyState';
import { Failure } from '~/shared/Failure';
import { IfPermitted } from '~/shared/IfPermitted';
import { Loading } from '~/shared/Loading';
import { PageHeader } from '~/shared/PageHeader';
import { plural } from '~/shared/time';

import { isFiltered, passes, type AuditFilter } from './auditFilter';
import { AuditFilters } from './AuditFilters';
import { EventTable } from './EventTable';
import { VerifyTrail } from './VerifyTrail';

const PAGE_SIZE = 200;

/** Who did what, newest first. */
export function AuditPage() {
  return (
    <>
      <PageHeader
        title="Audit"
        description="Who did what in this organisation. No event can be changed, removed or added without a trace."
      />
      <IfPermitted needs="users.read" action="see the audit trail">
        <VerifyTrail />
        <Trail />
      </IfPermitted>
    </>
  );
}

function Trail() {
  const { organization } = useSession();
  const [filter, setFilter] = useState<AuditFilter>({});
  const query = useInfiniteQuery({
    queryKey: ['audit', organization],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      audit.listAuditEvents({ organization, pageSize: PAGE_SIZE, pageToken: pageParam }, { signal }),
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });
  if (query.isPending) {
    return <Loading label="Reading the trail" />;
  }
  if (!query.data) {
    return (
      <Failure
        problem={problemOf(query.error)}
        title="The trail cannot be shown"
        onRetry={() => void query.refetch()}
      />
    );
  }
  const events = query.data.pages.flatMap((page) => page.events);
  const shown = events.filter((event) => passes(event, filter));
  return (
    <section aria-label="Events">
      <AuditFilters events={events} filter={filter} onChange={setFilter} />
      {shown.length > 0 && <EventTable events={shown} />}
      {shown.length === 0 && events.length > 0 && (
        <EmptyState icon={<IconFilterOff />} title="No loaded event passes the filters">
          {query.hasNextPage ? 'Load older events, or change the filters.' : 'Change the filters.'}
        </EmptyState>
      )}
      {events.length === 0 && (
        <EmptyState icon={<IconHistory />} title="Nothing has been done yet">
          Everything that is done in this organisation appears here.
        </EmptyState>
      )}
      <Group justify="space-between" mt="sm">
        <Text size="sm" role="status">
          {isFiltered(filter)
            ? `${plural(shown.length, 'event')} of the ${events.length.toLocaleString('en-GB')} loaded`
            : plural(events.length, 'event')}
          {query.hasNextPage ? ', and there are older ones' : ''}
        </Text>
        {query.hasNextPage && (
          <Button
            variant="default"
            size="xs"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Load older events
          </Button>
        )}
      </Group>
      {query.error && (
        <Stack mt="sm">
          <Failure problem={problemOf(query.error)} title="No older events were loaded" />
        </Stack>
      )}
    </section>
  );
}
