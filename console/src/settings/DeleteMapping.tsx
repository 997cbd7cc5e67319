import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { directory } from '~/api/transport';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';

/** Deletes a mapping, after a question. */
export function DeleteMapping({ name }: { readonly name: string }) {
  const { organization } = useSession();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const close = () => {
    setAsking(false);
    setProblem(undefined);
  };
  const remove = async () => {
    setBusy(true);
    try {
      await directory.deleteMapping({ organization, name });
      close();
      await queries.invalidateQueries();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      <Button size="xs" variant="default" aria-label={`Delete ${name}`} onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Modal opened={isAsking} onClose={close} title={`Delete the mapping “${name}”?`} centered>
        <Stack gap="md">
          <Text size="sm">
            Jobs that name it are refused from then on. Imports that have begun go on with it, and no user
            changes.
          </Text>
          {problem && <Failure problem={problem} title="The mapping was not deleted" />}
          <Group gap="xs">
            <Button variant="default" data-autofocus onClick={close}>
              Cancel
            </Button>
            <Button color="red" loading={isBusy} onClick={() => void remove()}>
              Delete
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
