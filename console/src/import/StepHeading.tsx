import { Text, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

interface StepHeadingProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** The heading of a step. It gets the focus when the step is shown, so that a screen reader says where one is. */
export function StepHeading({ title, children }: StepHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }, []);
  return (
    <div>
      <Title order={2} size="h4" ref={heading} tabIndex={-1} style={{ outline: 'none' }}>
        {title}
      </Title>
      {children && (
        <Text size="sm" c="dimmed" component="div" mt={2}>
          {children}
        </Text>
      )}
    </div>
  );
}
