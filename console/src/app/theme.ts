import { createTheme, type MantineColorsTuple } from '@mantine/core';

// The one accent colour. Shade 6 has a contrast of 4.5 or more on white, shade 4 on the dark ground.
const accent: MantineColorsTuple = [
  '#eef3fc',
  '#d9e3f5',
  '#b1c5ec',
  '#86a5e3',
  '#7597e0',
  '#3f70cd',
  '#2b5cab',
  '#234e94',
  '#1d437f',
  '#15346a',
];

// White text on shade 6 has a contrast of 5 or more; on Mantine's own it has 3.
const red: MantineColorsTuple = [
  '#fff0f0',
  '#ffe0e0',
  '#ffc4c4',
  '#ffa3a3',
  '#ff8585',
  '#e35050',
  '#c92a2a',
  '#b32323',
  '#9c1d1d',
  '#861616',
];

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 6 },
  autoContrast: true,
  colors: { accent, red },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // An 8-pixel grid.
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  headings: { fontWeight: '600' },
  components: {
    // Mantine's own role interrupts screen readers. Failures have it, and plain explanations do not.
    Alert: { defaultProps: { role: 'status' } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});
