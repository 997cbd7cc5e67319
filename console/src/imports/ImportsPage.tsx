import { useQuery } from '@connectrpc/connect-query';
import { Button, Group, Select, Title } from '@mantine/core';
import { keepPreviousData } from '@tanstack/react-query';
import { IconHistory, IconTableImport } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import { problemOf } from '~/api/problem';
import { ImportService } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';
import { EmptyState } from '~/shared/EmptyState';
import { Failure } from '~/shared/Failure';
import { IfPermitted } from '~/shared/IfPermitted';
import { Loading } from '~/shared/Loading';
import { STATE_LOOKS } from '~/shared/outcomes';
import { PageHeader } from '~/shared/PageHeader';
import { Pager } from '~/shared/Pager';
import { usePageTokens } from '~/shared/pageTokens';

import { ImportTable } from './ImportTable';
import { LISTED_STATES, type ImportSearch, type ListedState } from './importSearch';
import { NeedsReview } from './NeedsReview';
import { RunningImports } from './RunningImports';

const PAGE_SIZE = 25;

/** Imports that end meanwhile are noticed after this many milliseconds. */
const REFRESH = 10_000;

/** The history of imports, with those that need somebody on top. */
export function ImportsPage() {
  return (
    <>
      <PageHeader title="Imports">
        <Button component={Link} to="/import-users" leftSection={<IconTableImport size={16} aria-hidden />}>
          Import users
        </Button>
      </PageHeader>
      <IfPermitted needs="users.read" action="see imports">
        <NeedsReview />
        <RunningImports />
        <History />
      </IfPermitted>
    </>
  );
}

function History() {
  const { organization } = useSession();
  const search = useSearch({ from: '/shell/imports' });
  const pages = usePageTokens();
  const query = useQuery(
    ImportService.method.listImports,
    {
      organization,
      pageSize: PAGE_SIZE,
      pageToken: pages.token,
      state: search.state ? LISTED_STATES[search.state] : ImportState.UNSPECIFIED,
    },
    { placeholderData: keepPreviousData, refetchInterval: REFRESH },
  );
  const listed = query.data?.imports ?? [];
  return (
    <section aria-labelledby="history">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id="history">
          History
        </Title>
        <StateFilter search={search} />
      </Group>
      {query.isPending && <Loading label="Reading the imports" />}
      {query.error && !query.data && (
        <Failure
          problem={problemOf(query.error)}
          title="The imports cannot be shown"
          onRetry={() => void query.refetch()}
        />
      )}
      {query.data && listed.length === 0 && <NoImports isFiltered={search.state !== undefined} />}
      {listed.length > 0 && (
        <>
          <ImportTable imports={listed} isOutdated={query.isPlaceholderData} />
          <Pager
            pages={pages}
            pageSize={PAGE_SIZE}
            shown={listed.length}
            total={undefined}
            noun="import"
            nextToken={query.data?.nextPageToken ?? ''}
          />
        </>
      )}
    </section>
  );
}

function StateFilter({ search }: { readonly search: ImportSearch }) {
  const navigate = useNavigate({ from: '/imports' });
  const states = Object.entries(LISTED_STATES).map(([value, state]) => ({
    value,
    label: STATE_LOOKS[state].label,
  }));
  return (
    <Select
      aria-label="State"
      placeholder="Any state"
      size="sm"
      w={170}
      clearable
      data={states}
      value={search.state ?? null}
      onChange={(state) => void navigate({ search: { state: (state as ListedState | null) ?? undefined } })}
    />
  );
}

function NoImports({ isFiltered }: { readonly isFiltered: boolean }) {
  return isFiltered ? (
    <EmptyState icon={<IconHistory />} title="No import is in this state">
      Choose another state, or none to see all imports.
    </EmptyState>
  ) : (
    <EmptyState icon={<IconHistory />} title="Nothing has been imported yet">
      Choose <em>Import users</em>. Each import is listed here afterwards, with what it changed and who sent
      it.
    </EmptyState>
  );
}
