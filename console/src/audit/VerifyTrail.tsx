import { Alert, Button, Code, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconShieldCheck, IconShieldQuestion } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { audit } from '~/api/transport';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';
import { plural } from '~/shared/time';

import styles from './audit.module.css';
import { verifyTrail, type Verification } from './verifyTrail';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly verified: number; readonly all: number }
  | { readonly kind: 'ended'; readonly found: Verification }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Verifies the whole trail on this computer, and says what came out. */
export function VerifyTrail() {
  const { organization } = useSession();
  const [state, setState] = useState<State>({ kind: 'idle' });
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const verify = async () => {
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    setState({ kind: 'running', verified: 0, all: 0 });
    try {
      const found = await verifyTrail({
        organization,
        page: (pageToken, pageSize) =>
          audit.listAuditEvents({ organization, oldestFirst: true, pageSize, pageToken }, { signal }),
        onProgress: (verified, all) => setState({ kind: 'running', verified, all }),
      });
      setState({ kind: 'ended', found });
    } catch (error) {
      setState(signal.aborted ? { kind: 'idle' } : { kind: 'failed', problem: problemOf(error) });
    }
  };
  return (
    <Paper withBorder p="md" mb="md">
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start" className={styles.verify}>
          <Text size="sm" className={styles.about}>
            Each event has the hash of the one before it. <em>Verify</em> reads them all, oldest first, and
            computes the hashes again on this computer.
          </Text>
          {state.kind === 'running' ? (
            <Button variant="default" size="xs" onClick={() => running.current?.abort()}>
              Stop
            </Button>
          ) : (
            <Button size="xs" onClick={() => void verify()}>
              Verify
            </Button>
          )}
        </Group>
        <div role="status">
          {state.kind === 'running' && <Running verified={state.verified} all={state.all} />}
          {state.kind === 'ended' && <Result found={state.found} />}
        </div>
        {state.kind === 'failed' && (
          <Failure problem={state.problem} title="The trail was not verified to its end" />
        )}
      </Stack>
    </Paper>
  );
}

function Running({ verified, all }: { readonly verified: number; readonly all: number }) {
  const words = `${verified.toLocaleString('en-GB')} of ${plural(Math.max(all, verified), 'event')} verified`;
  return (
    <Stack gap={4}>
      <Progress value={all > 0 ? (100 * verified) / all : 0} size="sm" aria-label={words} />
      <Text size="sm">{words}</Text>
    </Stack>
  );
}

function Result({ found }: { readonly found: Verification }) {
  switch (found.kind) {
    case 'whole':
      return <Whole {...found} />;
    case 'empty':
      return (
        <Alert color="gray" icon={<IconShieldQuestion aria-hidden />} title="There is nothing to vouch for">
          The trail has no event. Making an organisation is an event: if this one was not made by a release
          before audit trails, its events were erased. The server’s log has the heads that the trail had.
        </Alert>
      );
    case 'changed':
      return (
        <Alert color="gray" icon={<IconShieldQuestion aria-hidden />} title="The trail changed meanwhile">
          Archived events were removed while it was read. Verify again.
        </Alert>
      );
    case 'broken':
      return (
        <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title="The trail is broken">
          {found.how} {plural(found.verified, 'event')} before that {found.verified === 1 ? 'is' : 'are'} as
          they were appended. Keep a copy of the database before anything else is done to it.
        </Alert>
      );
  }
}

function Whole({ count, chain }: Extract<Verification, { kind: 'whole' }>) {
  const { first, last, hash, archivedThrough } = chain;
  return (
    <Alert color="green" icon={<IconShieldCheck aria-hidden />} title="The trail is whole">
      <Stack gap="xs">
        <Text size="sm">Verified {plural(count, 'event')}: none was changed, removed or added.</Text>
        {archivedThrough !== undefined && (
          <Text size="sm">
            It is recorded that events up to {archivedThrough.toLocaleString('en-GB')} were archived.
            {first > 1n &&
              ` Events up to ${(first - 1n).toLocaleString('en-GB')} are in archives alone: they were removed after that, as the server’s settings say.`}
          </Text>
        )}
        <Text size="sm">
          Note this outside the database, and compare it with a later trail: that shows whether somebody has
          replaced the whole trail.
        </Text>
        <Code block className={styles.head}>
          {String(last)}:{hash}
        </Code>
      </Stack>
    </Alert>
  );
}
