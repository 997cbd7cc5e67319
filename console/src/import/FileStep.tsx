import { Alert, Button, Group, Paper, Progress, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconFileSpreadsheet, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';

import { plainWords } from '~/api/plainWords';
import { ImportWarnings } from '~/review/ImportWarnings';
import { Value } from '~/review/text';
import { Failure } from '~/shared/Failure';
import { plural } from '~/shared/time';

import { ExampleFile } from './ExampleFile';
import { FileDrop } from './FileDrop';
import { fileSize } from './fileSize';
import { MissingFile } from './MissingFile';
import { ReadingControls } from './ReadingControls';
import { SampleTable } from './SampleTable';
import { NextButton, StepBar } from './StepBar';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';
import { afterFile } from './steps';

export function FileStep({ session, state }: StepProps) {
  const { file } = state.draft;
  const [wrongKind, setWrongKind] = useState<string>();
  const choose = (chosen: File) => {
    setWrongKind(undefined);
    void session.choose(chosen);
  };
  return (
    <>
      <StepHeading title="Choose a file">
        One row for each user. The columns and values of another system are fine: they can be matched in the
        next step.
      </StepHeading>
      {state.leftBy !== '' && (
        <Alert
          color="gray"
          icon={<IconInfoCircle aria-hidden />}
          title="Another import was left"
          role="status"
        >
          An import begun by “<Value>{state.leftBy}</Value>” in this tab was left when you signed in.
        </Alert>
      )}
      {!file && (
        <FileDrop title="Drop a file here, or choose one" onFile={choose} onWrongKind={setWrongKind} />
      )}
      <div role="status">
        {wrongKind !== undefined && (
          <Alert color="orange" icon={<IconAlertTriangle aria-hidden />} title="This file cannot be imported">
            <Value>{wrongKind}</Value> is neither CSV nor a workbook. Save it as .csv, .xlsx or .ods, and
            choose that file.
          </Alert>
        )}
      </div>
      {file ? <ChosenFile session={session} state={state} /> : <ExampleFile />}
    </>
  );
}

function ChosenFile({ session, state }: StepProps) {
  const { draft, file, inspection, sent } = state;
  const { response, problem, isPending } = inspection;
  if (!draft.file) {
    return null;
  }
  const { name, size } = draft.file;
  const isReadable = (response?.columns.length ?? 0) > 0;
  return (
    <Stack gap="md">
      <Paper withBorder p="sm">
        <Group justify="space-between" gap="sm">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <IconFileSpreadsheet size={24} stroke={1.5} aria-hidden />
            <div>
              <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
                <Value>{name}</Value>
              </Text>
              <Text size="sm" c="dimmed">
                {fileSize(size)}
                {sent >= size && size > 0 && ' · on the server'}
              </Text>
            </div>
          </Group>
          <Button variant="default" size="xs" onClick={() => void session.startOver()}>
            Choose another file
          </Button>
        </Group>
        {file && sent < size && (
          <Progress value={(sent / size) * 100} size="sm" mt="xs" aria-label="Sent to the server" />
        )}
      </Paper>
      {!file && <MissingFile session={session} state={state} />}
      {problem && (
        <Failure
          problem={problem}
          title="The file cannot be read"
          nextStep="Nothing was written."
          onRetry={() => void session.reader.inspect()}
        />
      )}
      {isPending && !response && <Skeleton height={160} aria-label="Looking at the file" role="status" />}
      {response && <WhatItIs session={session} state={state} />}
      <StepBar>
        <Text size="sm" c="dimmed" role="status">
          {nextInWords(state)}
        </Text>
        <NextButton isDisabled={!isReadable || isPending} onClick={() => session.goTo(afterFile(draft))} />
      </StepBar>
    </Stack>
  );
}

function WhatItIs({ session, state }: StepProps) {
  const { response } = state.inspection;
  if (!response) {
    return null;
  }
  const isReadable = response.columns.length > 0;
  const issues = response.issues.map(({ message }) => ({ message: plainWords(message) }));
  return (
    <Stack gap="md">
      <ReadingControls
        response={response}
        reading={state.draft.reading}
        onChange={(reading) => session.reader.setReading(reading)}
      />
      {isReadable ? (
        <ImportWarnings warnings={issues} />
      ) : (
        <Alert
          color="red"
          icon={<IconAlertTriangle aria-hidden />}
          title="No roster was found in this file"
          role="alert"
        >
          <Stack gap={4}>
            {issues.map(({ message }) => (
              <Text size="sm" key={message}>
                <Value>{message}</Value>
              </Text>
            ))}
            <Text size="sm">
              Nothing was written. Correct the file or how it is read, or choose another one.
            </Text>
          </Stack>
        </Alert>
      )}
      {isReadable && (
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            {plural(response.columns.length, 'column')}, header on line {response.headerLine}
          </Text>
          <SampleTable response={response} />
        </Stack>
      )}
    </Stack>
  );
}

function nextInWords({ draft, inspection }: StepProps['state']): string {
  if (inspection.isPending) {
    return 'Looking at the file…';
  }
  if (!inspection.response || inspection.response.columns.length === 0) {
    return '';
  }
  return draft.hasColumnsStep
    ? 'Next: match columns and values that are not those of a roster.'
    : 'All columns and values match, so the step Columns is skipped.';
}
