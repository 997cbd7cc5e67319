import { Group, NumberInput, Stack, TagsInput, Title } from '@mantine/core';

import type { MappingProps } from './ColumnsStep';

/** Which lines are no rows, and which words mean a blank cell. */
export function LinesAndBlanks({ mapping, onChange }: MappingProps) {
  return (
    <Stack gap="xs" component="section" aria-labelledby="lines-title">
      <Title order={3} size="h5" id="lines-title">
        Lines and blanks
      </Title>
      <Group gap="md" align="flex-start">
        <NumberInput
          size="xs"
          w={200}
          label="Lines above the header"
          description="Such as titles"
          min={0}
          max={1000}
          allowDecimal={false}
          value={mapping.skipLeadingLines}
          onChange={(lines) => onChange({ ...mapping, skipLeadingLines: Number(lines) || 0 })}
        />
        <TagsInput
          size="xs"
          w={260}
          label="Beginnings of lines that are no rows"
          description="Such as Total: or #. Press Enter after each"
          value={[...mapping.ignoredLinePrefixes]}
          onChange={(ignoredLinePrefixes) => onChange({ ...mapping, ignoredLinePrefixes })}
        />
        <TagsInput
          size="xs"
          w={260}
          label="Words that mean blank"
          description="Such as NULL or N/A. Press Enter after each"
          value={[...mapping.nullValues]}
          onChange={(nullValues) => onChange({ ...mapping, nullValues })}
        />
      </Group>
    </Stack>
  );
}
