import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// `npm run dev` shows the sources in place of the built page, with the API of the server at USER_IMPORT_ENDPOINT.
const server = process.env.USER_IMPORT_ENDPOINT ?? 'http://127.0.0.1:50051';

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    // The server's policy allows no data addresses for scripts, and small files are compressed as well.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '^/(userimport|grpc)\\.': { target: server },
      '/console/sign-in.json': { target: server },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
