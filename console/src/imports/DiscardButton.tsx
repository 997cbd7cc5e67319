import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { problemOf, type Problem } from '~/api/problem';
import { imports } from '~/api/transport';
import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { useSession } from '~/session/Session';
import { Failure } from '~/shared/Failure';

import { importTitle } from './importWords';

interface EndButtonProps {
  readonly record: Import;
  readonly size?: 'xs' | 'sm';
}

/** Discards a held import, after a question. Callers who may not import are not offered it. */
export function DiscardButton({ record, size = 'sm' }: EndButtonProps) {
  return (
    <EndButton
      record={record}
      size={size}
      label="Discard"
      title="Discard this import?"
      question={`The file and options of “${importTitle(record)}” are removed. No user is changed. To import it after all, its sender has to send it again.`}
    />
  );
}

/** Stops a running import, after a question. */
export function StopButton({ record, size = 'sm' }: EndButtonProps) {
  return (
    <EndButton
      record={record}
      size={size}
      label="Stop"
      title="Stop this import?"
      question={`“${importTitle(record)}” stops after the rows that are being written now. What is written stays, and can be undone.`}
    />
  );
}

interface QuestionProps extends EndButtonProps {
  readonly label: string;
  readonly title: string;
  readonly question: string;
}

function EndButton({ record, size, label, title, question }: QuestionProps) {
  const { may } = useSession();
  const [isAsking, setAsking] = useState(false);
  if (!may('users.import')) {
    return null;
  }
  return (
    <>
      <Button variant="default" {...(size && { size })} onClick={() => setAsking(true)}>
        {label}
      </Button>
      <Modal opened={isAsking} onClose={() => setAsking(false)} title={title} centered>
        <Question record={record} label={label} question={question} onClose={() => setAsking(false)} />
      </Modal>
    </>
  );
}

interface AskedProps {
  readonly record: Import;
  readonly label: string;
  readonly question: string;
  readonly onClose: () => void;
}

function Question({ record, label, question, onClose }: AskedProps) {
  const { organization } = useSession();
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const end = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await imports.cancelImport({ organization, importId: record.importId });
      onClose();
      await queries.invalidateQueries();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <Stack gap="md">
      <Text size="sm">{question}</Text>
      {problem && <Failure problem={problem} title="The import goes on as before" />}
      <Group gap="xs">
        <Button variant="default" data-autofocus onClick={onClose}>
          Cancel
        </Button>
        <Button color="red" loading={isBusy} onClick={() => void end()}>
          {label}
        </Button>
      </Group>
    </Stack>
  );
}
