import { Alert, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

import type { InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';
import { Failure } from '~/shared/Failure';
import { Loading } from '~/shared/Loading';

import { ColumnTable } from './ColumnTable';
import { ComputedColumns } from './ComputedColumns';
import { mappingJson, mappingOf, type EditableMapping } from './editMapping';
import { LinesAndBlanks } from './LinesAndBlanks';
import { SaveMapping, UseSavedMapping } from './SavedMappings';
import { BackButton, NextButton, StepBar } from './StepBar';
import { StepHeading } from './StepHeading';
import type { StepProps } from './StepProps';
import { ValueTable } from './ValueTable';

/** What the parts of this step are given. */
export interface MappingProps {
  readonly response: InspectRosterResponse;
  readonly mapping: EditableMapping;
  readonly onChange: (mapping: EditableMapping) => void;
}

export function ColumnsStep({ session, state }: StepProps) {
  const { inspection, draft } = state;
  const { response, problem } = inspection;
  const change = (mapping: EditableMapping) => session.reader.setMapping(mappingJson(mapping));
  const goOn = () => {
    if (response) {
      // What was proposed and not changed is what was chosen.
      session.keep({ mapping: mappingJson(mappingOf(draft.mapping, response)) });
    }
    session.goTo('options');
  };
  return (
    <>
      <StepHeading title="Match columns and values">
        Some names or values of this file are not those of a roster. Look at what each becomes, and correct
        it.
      </StepHeading>
      {problem && (
        <Failure
          problem={problem}
          title="The file cannot be read like this"
          nextStep="Nothing was written. Change what you chose last."
          onRetry={() => void session.reader.inspect()}
        />
      )}
      {!response && inspection.isPending && <Loading label="Looking at the file" />}
      {response && (
        <Matching response={response} mapping={mappingOf(draft.mapping, response)} onChange={change} />
      )}
      <StepBar>
        <BackButton onClick={() => session.goTo('file')} />
        <NextButton isDisabled={!response || problem !== undefined} onClick={goOn} />
      </StepBar>
    </>
  );
}

function Matching(props: MappingProps) {
  const { missingColumns } = props.response;
  // What does not match comes first.
  const matches = missingColumns.length === 0 && Object.keys(props.mapping.columns).length === 0;
  return (
    <Stack gap="lg">
      <div role="status">
        {missingColumns.length > 0 && (
          <Alert
            color="orange"
            icon={<IconAlertTriangle aria-hidden />}
            title={`Nothing in the file gives ${missingColumns.join(', ')}`}
          >
            <Text size="sm">
              {missingColumns.length === 1
                ? 'Every roster needs this column. Choose a column of the file for it, or compute it from others.'
                : 'Every roster needs these columns. Choose a column of the file for each, or compute it from others.'}
            </Text>
          </Alert>
        )}
      </div>
      <UseSavedMapping {...props} />
      {matches ? (
        <>
          <ValueTable {...props} />
          <ColumnTable {...props} />
        </>
      ) : (
        <>
          <ColumnTable {...props} />
          <ValueTable {...props} />
        </>
      )}
      <ComputedColumns {...props} />
      <LinesAndBlanks {...props} />
      <SaveMapping {...props} />
    </Stack>
  );
}
