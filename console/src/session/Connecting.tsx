import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf } from '~/api/problem';
import { ActionAlert } from '~/shared/ActionAlert';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';

interface ConnectingProps {
  /** What has to be known before the page can be shown. */
  readonly query: Pick<UseQueryResult, 'error' | 'failureReason' | 'refetch'>;
  readonly queryKey: readonly string[];
}

/** Stands in the place of the page until the server has answered. What failed for a while is tried again by itself. */
export function Connecting({ query, queryKey }: ConnectingProps) {
  const { error, failureReason, refetch } = query;
  const queries = useQueryClient();
  // The reason is kept during the next attempt.
  const [reason, setReason] = useState(failureReason);
  if (failureReason && failureReason !== reason) {
    setReason(failureReason);
  }
  const again = async () => {
    // An attempt that waits does not keep the next one from being made now.
    await queries.cancelQueries({ queryKey });
    await refetch();
  };
  if (!reason) {
    return <Loading label="Signing in" />;
  }
  const problem = problemOf(reason);
  return (
    <Center mih="100vh" p="md" component="main">
      <Stack maw={560}>
        <Title order={1} size="h3">
          User Import
        </Title>
        {error && !problem.isTransient ? (
          <Failure
            problem={problem}
            title="The page cannot be shown"
            nextStep="Nothing was changed. Your sign-in is kept."
            onRetry={() => void again()}
          />
        ) : (
          <ActionAlert
            color="orange"
            icon={<IconPlugConnectedX aria-hidden />}
            title="The server does not answer. Trying again…"
            role="status"
            actions={
              <Button size="xs" variant="default" onClick={() => void again()}>
                Try now
              </Button>
            }
          >
            <Text size="sm">{problem.message}</Text>
            <Text size="sm">
              Nothing is lost, and your sign-in is kept: the page opens by itself as soon as the server
              answers.
            </Text>
          </ActionAlert>
        )}
      </Stack>
    </Center>
  );
}
